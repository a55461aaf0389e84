// The older requests, in pieces that are read when they come into view and let go when they are far from it. Pure.
//
// A piece that was let go keeps its place and its length, so that nothing moves for who looks elsewhere.

import { type Entry } from './head';

export interface Piece {
  /** Where it begins: behind this row of the log. */
  readonly after: number;
  /** `null`: let go. */
  rows: Entry[] | null;
  count: number;
  /** Its last row. */
  readonly last: Entry;
  /** Where the next one begins. `null`: this is the last. */
  next: number | null;
}

/** So many rows are held at most, beside those in view. */
const HELD = 2_000;

export class Older {
  pieces: Piece[] = [];

  get count(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.count, 0);
  }

  /** How many rows are held. */
  get held(): number {
    return this.pieces.reduce((sum, piece) => sum + (piece.rows?.length ?? 0), 0);
  }

  /** The row at that place; `null`: it was let go; `undefined`: there is none. */
  at(index: number): Entry | null | undefined {
    for (const piece of this.pieces) {
      if (index < piece.count) return piece.rows === null ? null : piece.rows[index];
      index -= piece.count;
    }
    return undefined;
  }

  /** The place of a row that is held. */
  indexOf(id: string): number {
    let before = 0;
    for (const piece of this.pieces) {
      const index = piece.rows?.findIndex((entry) => entry.id === id) ?? -1;
      if (index >= 0) return before + index;
      before += piece.count;
    }
    return -1;
  }

  /** The first piece between these places that has to be read again. */
  missing(first: number, last: number): Piece | undefined {
    let before = 0;
    return this.pieces.find((piece) => {
      const [start, end] = [before, before + piece.count];
      before = end;
      return piece.rows === null && start <= last && end > first;
    });
  }

  /** Lets go what is farthest from the place in view, until few enough are held. */
  letGo(inView: number): void {
    while (this.held > HELD) {
      let before = 0;
      let farthest: { piece: Piece; distance: number } | null = null;
      for (const piece of this.pieces) {
        const distance = Math.max(before - inView, inView - (before + piece.count));
        if (piece.rows !== null && distance > (farthest?.distance ?? 0)) farthest = { piece, distance };
        before += piece.count;
      }
      if (farthest === null) return;
      farthest.piece.rows = null;
    }
  }
}
