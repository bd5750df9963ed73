import type { ReactNode } from 'react';
import { type Panel, PANELS } from './address.ts';
import { WhoAsks } from './share/sign-in.tsx';
import { panels, texts } from './texts.en.ts';

/** Panels that are regions of their own where the page is wide. */
const NARROW_ALONE: ReadonlySet<Panel> = new Set(['list', 'feature']);

interface Properties {
  readonly shown: Panel;
  readonly isAllowed: (panel: Panel) => boolean;
  readonly dark: boolean;
  readonly onOpen: (panel: Panel) => void;
  readonly onDark: (dark: boolean) => void;
  readonly onHelp: () => void;
}

/** Name, panels, who asks, theme and help. */
export function Header({ shown, isAllowed, dark, onOpen, onDark, onHelp }: Properties): ReactNode {
  return (
    <header>
      <h1>{texts.title}</h1>
      <nav aria-label="Panels">
        {PANELS.filter(isAllowed).map((panel) => (
          <button
            key={panel}
            type="button"
            className={NARROW_ALONE.has(panel) ? 'narrow-alone' : undefined}
            aria-pressed={shown === panel}
            onClick={() => onOpen(panel)}
          >
            {panels[panel]}
          </button>
        ))}
      </nav>
      <span className="spring" />
      <WhoAsks />
      <a href="./graphql">API</a>
      <button type="button" aria-label={dark ? 'Light theme' : 'Dark theme'} onClick={() => onDark(!dark)}>
        {dark ? '☀' : '☾'}
      </button>
      <button type="button" aria-label="Help" onClick={onHelp}>
        ?
      </button>
    </header>
  );
}
