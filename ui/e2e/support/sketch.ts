// A sketch of a screen: where its large parts stand, which colour covers most of each cell of a coarse grid, and whether
// something is written there. It is small, says in a diff what moved, and survives other fonts; a picture does none of that.

import type { Browser, Page } from 'playwright-core';

/** A large part of the page, in pixels. */
export interface Box {
  kind: string;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Which box it lies in, as the number of that one; -1: in none. */
  within: number;
}

export interface Sketch {
  width: number;
  height: number;
  boxes: Box[];
  /** Colours by letter, as `#rrggbb`. */
  colours: Record<string, string>;
  /** A letter for each cell: the colour that covers most of it, large where something is written on it. */
  rows: string[];
}

/** Parts that every font leaves in their places: none of them is as wide as its text. */
const PARTS: Record<string, string> = {
  bar: 'nav',
  page: 'main',
  card: 'main section, main aside',
  table: 'main table, main [role=grid]',
  chart: 'main canvas',
  notice: 'main [role=alert]',
};
/** Cells across a window, wide or not. */
const columns = (width: number) => (width < 600 ? 12 : 24);
/** Of a cell, so much is another colour where something is written. */
const INK = 0.02;

export class Sketcher {
  private constructor(private readonly table: Page) {}

  static async open(browser: Browser): Promise<Sketcher> {
    return new Sketcher(await browser.newPage());
  }

  async of(page: Page): Promise<Sketch> {
    // Even without motion things take a moment to be where they go.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const boxes = await page.evaluate(boxesOf, PARTS);
    const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
    const picture = (await page.screenshot({ animations: 'disabled', caret: 'hide' })).toString('base64');
    const { cells } = await this.table.evaluate(cellsOf, { picture, across: columns(width), ink: INK });
    return { width, height, boxes, ...lettered(cells) };
  }
}

/** Runs in the page. */
function boxesOf(parts: Record<string, string>): Box[] {
  const found = Object.entries(parts)
    .flatMap(([kind, selector]) => [...document.querySelectorAll(selector)].map((element) => ({ kind, element })))
    .map((one) => ({ ...one, rect: one.element.getBoundingClientRect(), style: getComputedStyle(one.element) }))
    // What is there only for those who do not see is no part of the picture.
    .filter(({ rect, style, element }) => rect.width > 8 && rect.height > 8 && style.visibility === 'visible' && element.closest('.sr-only') === null)
    .sort((a, b) => (a.element.compareDocumentPosition(b.element) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  return found.map(({ kind, element, rect }) => ({
    kind,
    x: Math.round(rect.x),
    y: Math.round(rect.y),
    width: Math.round(rect.width),
    height: Math.round(rect.height),
    within: found.findLastIndex((other) => other.element !== element && other.element.contains(element)),
  }));
}

interface Cell {
  colour: string;
  written: boolean;
}

/** Runs in an empty page, which is as good as any library at reading a picture. */
async function cellsOf({ picture, across, ink }: { picture: string; across: number; ink: number }): Promise<{ cells: Cell[][] }> {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context?.drawImage(image, 0, 0);
  const side = image.width / across;
  const down = Math.floor(image.height / side);
  const cell = (column: number, row: number): Cell => {
    const [left, top] = [Math.round(column * side), Math.round(row * side)];
    const size = Math.floor(side);
    const { data } = context?.getImageData(left, top, size, size) ?? { data: new Uint8ClampedArray() };
    const counts = new Map<number, number>();
    // Every other point is enough.
    for (let at = 0; at < data.length; at += 8) {
      const colour = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
    const [most = [0, 0]] = [...counts].sort((a, b) => b[1] - a[1]);
    return { colour: `#${most[0].toString(16).padStart(6, '0')}`, written: 1 - (most[1] * 2) / (size * size) > ink };
  };
  return { cells: Array.from({ length: down }, (_, row) => Array.from({ length: across }, (__, column) => cell(column, row))) };
}

/** Letters in the order of how much they cover. */
function lettered(cells: Cell[][]): Pick<Sketch, 'colours' | 'rows'> {
  const counts = new Map<string, number>();
  for (const { colour } of cells.flat()) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const known = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  const letter = (colour: string) => String.fromCharCode(97 + Math.min(known.indexOf(colour), 25));
  const said = ({ colour, written }: Cell) => (written ? letter(colour).toUpperCase() : letter(colour));
  return {
    colours: Object.fromEntries(known.slice(0, 26).map((colour) => [letter(colour), colour])),
    rows: cells.map((row) => row.map(said).join('')),
  };
}
