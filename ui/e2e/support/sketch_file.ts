// Sketches as they are kept: one file for a screen, with a part for each look, in lines that a person can read.

import type { Box, Sketch } from './sketch';

/** `name` is the look, such as `light 1280`. */
export function written(sketches: Map<string, Sketch>): string {
  return [...sketches].map(([name, sketch]) => part(name, sketch)).join('\n');
}

function part(name: string, { width, height, boxes, colours, rows }: Sketch): string {
  const lines = boxes.map((box) => `  ${box.kind} ${box.x} ${box.y} ${box.width} ${box.height} ${box.within}`);
  const inks = Object.entries(colours).map(([letter, colour]) => `${letter}${colour}`);
  return [`[${name}] ${width} ${height}`, ...lines, `: ${inks.join(' ')}`, ...folded(rows), ''].join('\n');
}

/** The same row again and again is written once. */
function folded(rows: string[]): string[] {
  const lines: { row: string; times: number }[] = [];
  for (const row of rows) {
    const last = lines.at(-1);
    if (last?.row === row) last.times += 1;
    else lines.push({ row, times: 1 });
  }
  return lines.map(({ row, times }) => (times === 1 ? row : `${row} ${times}`));
}

export function read(text: string): Map<string, Sketch> {
  const sketches = new Map<string, Sketch>();
  let open: Sketch | undefined;
  for (const line of text.split('\n')) {
    const head = /^\[(.+)\] (\d+) (\d+)$/.exec(line);
    if (head !== null) {
      open = { width: Number(head[2]), height: Number(head[3]), boxes: [], colours: {}, rows: [] };
      sketches.set(head[1] ?? '', open);
    } else if (open === undefined || line === '') {
      continue;
    } else if (line.startsWith('  ')) {
      const [kind = '', ...numbers] = line.trim().split(' ');
      const [x = 0, y = 0, width = 0, height = 0, within = -1] = numbers.map(Number);
      open.boxes.push({ kind, x, y, width, height, within } satisfies Box);
    } else if (line.startsWith(': ')) {
      open.colours = Object.fromEntries(line.slice(2).split(' ').map((ink) => [ink.slice(0, 1), ink.slice(1)]));
    } else {
      const [row = '', times = '1'] = line.split(' ');
      for (let time = 0; time < Number(times); time += 1) open.rows.push(row);
    }
  }
  return sketches;
}
