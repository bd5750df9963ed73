import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import './dashboard.css';
import { ErrorBoundary } from './error-boundary.tsx';
import { SignIn } from './share/sign-in.tsx';
import { queryClient } from './queries.ts';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <ErrorBoundary message="The page stopped.">
        <SignIn>
          <App />
        </SignIn>
      </ErrorBoundary>
    </QueryClientProvider>
  </StrictMode>,
);
