import { useEffect, useState } from 'react';

const STORED = 'terraql-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** Whether panels are dark: as the system is, until the person chooses. */
export function useDark(): readonly [dark: boolean, set: (dark: boolean) => void] {
  const [chosen, setChosen] = useState(localStorage.getItem(STORED));
  const [follows, setFollows] = useState(system.matches);
  useEffect(() => {
    const changed = (): void => setFollows(system.matches);
    system.addEventListener('change', changed);
    return () => system.removeEventListener('change', changed);
  }, []);
  const dark = chosen === null ? follows : chosen === 'dark';
  useEffect(() => {
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  }, [dark]);
  return [
    dark,
    (value) => {
      localStorage.setItem(STORED, value ? 'dark' : 'light');
      setChosen(value ? 'dark' : 'light');
    },
  ];
}
