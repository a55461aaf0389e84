// A unified diff, line by line, as it is shown. Pure.

/** `gap`: lines in between are not shown. `note`: said about the line before. */
export type Kind = 'same' | 'added' | 'removed' | 'gap' | 'note';

export interface DiffLine {
  kind: Kind;
  text: string;
  /** Its number in the file: the old one where it is removed, else the new one. */
  number: number | null;
  /** What of it is not in the line that it replaces, or is replaced by. */
  mark?: [number, number];
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

export function diffLines(diff: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let [before, after] = [0, 0];
  let inside = false;
  for (const line of diff.replace(/\n$/, '').split('\n')) {
    const hunk = HUNK.exec(line);
    if (hunk !== null) {
      [before, after] = [Number(hunk[1]), Number(hunk[2])];
      if (inside) lines.push({ kind: 'gap', text: '', number: null });
      inside = true;
    } else if (!inside) {
      // The names of the files stand above it already.
      continue;
    } else if (line.startsWith('+')) {
      lines.push({ kind: 'added', text: line.slice(1), number: after++ });
    } else if (line.startsWith('-')) {
      lines.push({ kind: 'removed', text: line.slice(1), number: before++ });
    } else if (line.startsWith('\\')) {
      lines.push({ kind: 'note', text: line.slice(1).trim(), number: null });
    } else {
      before += 1;
      lines.push({ kind: 'same', text: line.slice(1), number: after++ });
    }
  }
  return marked(lines);
}

/** Where as many lines come as go, each is held against the other. */
function marked(lines: DiffLine[]): DiffLine[] {
  for (let at = 0; at < lines.length; ) {
    const end = (from: number, kind: Kind) => {
      let to = from;
      while (lines[to]?.kind === kind) to += 1;
      return to;
    };
    const middle = end(at, 'removed');
    const last = end(middle, 'added');
    if (middle > at && last - middle === middle - at) {
      for (let pair = at; pair < middle; pair += 1) hold(lines[pair], lines[pair + middle - at]);
    }
    at = Math.max(last, at + 1);
  }
  return lines;
}

function hold(before: DiffLine | undefined, after: DiffLine | undefined): void {
  if (before === undefined || after === undefined) return;
  const shorter = Math.min(before.text.length, after.text.length);
  let start = 0;
  while (start < shorter && before.text[start] === after.text[start]) start += 1;
  let tail = 0;
  while (tail < shorter - start && before.text.at(-1 - tail) === after.text.at(-1 - tail)) tail += 1;
  // Lines that have little in common are two lines.
  if (start + tail < shorter / 3) return;
  before.mark = [start, before.text.length - tail];
  after.mark = [start, after.text.length - tail];
}
