/** Room around what is shown, more where a panel covers the map. */
export function paddingPx(): { top: number; bottom: number; left: number; right: number } {
  const app = document.querySelector('.app');
  const coverPx = app ? Number.parseFloat(getComputedStyle(app).getPropertyValue('--right-cover')) || 0 : 0;
  return { top: 60, bottom: 60, left: 60, right: 60 + coverPx };
}
