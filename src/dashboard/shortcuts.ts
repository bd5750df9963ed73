import { useEffect, useRef } from 'react';

export type Shortcuts = Readonly<Record<string, () => void>>;

const STORED = 'terraql-shortcuts';

/** Letters do something unless they are turned off, as people who dictate must be able to. @see WCAG 2.2, 2.1.4 */
export const letters = {
  areOn: (): boolean => localStorage.getItem(STORED) !== 'off',
  set(on: boolean): void {
    localStorage.setItem(STORED, on ? 'on' : 'off');
  },
};

/** Runs the action of a key, but never while the user types or a dialog is open. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.key !== 'Escape' && (isTyping(event.target) || !letters.areOn())) return;
      const action = latest.current[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (document.querySelector('dialog[open]')) return true;
  return target.isContentEditable || target.matches('input, textarea, select');
}
