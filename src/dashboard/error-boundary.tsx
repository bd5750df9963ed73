import { Component, type ReactNode } from 'react';
import { texts } from './texts.en.ts';

interface Properties {
  readonly message: string;
  readonly children: ReactNode;
}

/** Keeps a fault within its region of the page, which can be started again without a reload. */
export class ErrorBoundary extends Component<Properties, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <div className="notice" role="alert">
        {this.props.message}{' '}
        <button type="button" onClick={() => this.setState({ failed: false })}>
          {texts.restart}
        </button>
      </div>
    );
  }
}
