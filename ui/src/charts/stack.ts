// What a chart draws of its series. Pure.

/** Values upon one another, the first at the bottom. Nothing is drawn where there is none of them. */
export function stacked(series: (number | null)[][]): (number | null)[][] {
  const sums: number[] = [];
  return series.map((values) =>
    values.map((value, at) => {
      if (value === null && sums[at] === undefined) return null;
      return (sums[at] = (sums[at] ?? 0) + (value ?? 0));
    }),
  );
}

/** The places along the bottom that get a label: as many as fit, in even steps, the first among them. */
export function labelled(count: number, width: number, each: number): number[] {
  const fit = Math.max(1, Math.floor(width / each));
  const step = Math.max(1, Math.ceil(count / fit));
  const places: number[] = [];
  for (let at = 0; at < count; at += step) places.push(at);
  return places;
}

/** Where a key leads from one place of a chart, or `null` if it is no key of ours. */
export function moved(key: string, from: number | null, count: number): number | null {
  const last = count - 1;
  switch (key) {
    case 'ArrowRight':
    case 'ArrowUp':
      return Math.min(last, from === null ? 0 : from + 1);
    case 'ArrowLeft':
    case 'ArrowDown':
      return Math.max(0, from === null ? last : from - 1);
    case 'PageUp':
      return Math.min(last, (from ?? 0) + 7);
    case 'PageDown':
      return Math.max(0, (from ?? last) - 7);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return null;
  }
}
