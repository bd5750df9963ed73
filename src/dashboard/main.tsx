import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './dashboard.css';
import { ErrorBoundary } from './error-boundary.tsx';
import { completeSignIn } from './share/openid.ts';

/** The page reads its address when it is loaded: by then it is its own again, and not the one that a provider returned to. */
async function start(): Promise<void> {
  const problem = await completeSignIn();
  const [{ App }, { SignIn }, { queryClient }] = await Promise.all([
    import('./app.tsx'),
    import('./share/sign-in.tsx'),
    import('./queries.ts'),
  ]);
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <ErrorBoundary message="The page stopped.">
          <SignIn problem={problem}>
            <App />
          </SignIn>
        </ErrorBoundary>
      </QueryClientProvider>
    </StrictMode>,
  );
}

void start();
