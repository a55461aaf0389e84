// What differs between two sketches that a person would see. Pure.
//
// Other fonts, longer words and another number of digits are no difference: a line more or less moves what is below it. Parts
// that are missing, that lie over one another, that are elsewhere across the window, and other colours are.

import type { Box, Sketch } from './sketch';

/** How far a part may be moved or widened across the window. */
const ACROSS = 10;
/** How much the room above a part may grow, or shrink: some lines of text. */
const ROOM = 64;
/** How much higher or lower a part may be: some lines, or so much of it. */
const LINES = 48;
const SHARE = 0.35;
/** The step between two colours that nobody sees, in any of red, green and blue. */
const STEP = 3;
/** Of all cells, so many may have another colour, or writing where there was none. */
const COLOURS = 0.05;
const WRITING = 0.25;

export function differences(was: Sketch, is: Sketch): string[] {
  return [...inBoxes(was, is), ...inCells(was, is)];
}

function inBoxes(was: Sketch, is: Sketch): string[] {
  // What is cut by the lower edge is here with one font and gone with another.
  const whole = ({ boxes, height }: Sketch) => boxes.filter((box) => box.y + box.height < height - LINES || box.y < 4);
  const [before, now] = [whole(was), whole(is)];
  const kinds = [...new Set([...before, ...now].map((box) => box.kind))];
  const of = (boxes: Box[], kind: string) => boxes.filter((box) => box.kind === kind);
  const missing = kinds
    .filter((kind) => of(before, kind).length !== of(now, kind).length)
    .map((kind) => `${kind}: ${of(before, kind).length} were there, ${of(now, kind).length} are`);
  if (missing.length > 0) return missing;
  return before.flatMap((old, at) => {
    const box = now[at];
    return box === undefined || box.kind !== old.kind ? [`${old.kind} ${at}: another order of parts`] : inBox(was, old, is, box, at);
  });
}

function inBox(was: Sketch, old: Box, is: Sketch, box: Box, at: number): string[] {
  const found: string[] = [];
  const say = (what: string, before: number, now: number) => found.push(`${box.kind} ${at}: ${what} was ${before}, is ${now}`);
  if (Math.abs(old.x - box.x) > ACROSS) say('its left edge', old.x, box.x);
  if (Math.abs(old.width - box.width) > ACROSS) say('its width', old.width, box.width);
  if (Math.abs(old.height - box.height) > Math.max(LINES, old.height * SHARE)) say('its height', old.height, box.height);
  const [above, roomNow] = [room(was, old), room(is, box)];
  if (Math.abs(above - roomNow) > ROOM) say('the room above it', above, roomNow);
  if (above >= 0 && roomNow < 0) say('the room above it', above, roomNow);
  return found;
}

/** The room between a part and what is above it in the same part, or the upper edge of that. */
function room({ boxes }: Sketch, box: Box): number {
  const beside = (other: Box) => other.x + other.width <= box.x || other.x >= box.x + box.width;
  const above = boxes.filter((other) => other.within === box.within && other !== box && other.y < box.y && !beside(other));
  if (above.length > 0) return box.y - Math.max(...above.map((other) => other.y + other.height));
  return box.y - (boxes[box.within]?.y ?? 0);
}

function inCells(was: Sketch, is: Sketch): string[] {
  const all = was.rows.length * (was.rows[0]?.length ?? 0);
  if (is.rows.length !== was.rows.length || is.rows[0]?.length !== was.rows[0]?.length) return ['the grid has another size'];
  let [coloured, writing] = [0, 0];
  const other = new Map<string, number>();
  was.rows.forEach((row, down) =>
    [...row].forEach((_, across) => {
      const now = letter(is, down, across);
      const near = neighbours(was, down, across);
      const colour = is.colours[now.toLowerCase()] ?? '';
      if (!near.some((one) => alike(was.colours[one.toLowerCase()] ?? '', colour))) {
        coloured += 1;
        other.set(colour, (other.get(colour) ?? 0) + 1);
      }
      if (!near.some((one) => isWritten(one) === isWritten(now))) writing += 1;
    }),
  );
  const found: string[] = [];
  const most = [...other].sort((a, b) => b[1] - a[1]).slice(0, 3).map(([colour]) => colour);
  if (coloured > all * COLOURS) found.push(`${coloured} of ${all} cells have another colour, most of them ${most.join(', ')}`);
  if (writing > all * WRITING) found.push(`${writing} of ${all} cells are written on, or not any more`);
  return found;
}

const letter = ({ rows }: Sketch, down: number, across: number) => rows[down]?.[across] ?? '';
const isWritten = (one: string) => one !== one.toLowerCase();

/** The cell, and those above and below it: what is a line lower is still there. */
function neighbours(sketch: Sketch, down: number, across: number): string[] {
  return [-1, 0, 1].map((step) => letter(sketch, down + step, across)).filter((one) => one !== '');
}

function alike(one: string, other: string): boolean {
  const parts = (colour: string) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const theirs = parts(other);
  return parts(one).every((part, at) => Math.abs(part - (theirs[at] ?? NaN)) <= STEP);
}
