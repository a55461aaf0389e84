import { describe, expect, it } from 'vitest';
import { labelled, moved, stacked } from './stack';

describe('a chart', () => {
  it('puts values upon one another, and nothing where there is nothing', () => {
    expect(stacked([[1, null, null], [2, 3, null], [4, 5, null]])).toEqual([[1, null, null], [3, 3, null], [7, 8, null]]);
  });

  it('labels as many places as fit, in even steps', () => {
    expect(labelled(7, 700, 60)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(labelled(24, 300, 60)).toEqual([0, 5, 10, 15, 20]);
    expect(labelled(3, 10, 60)).toEqual([0]);
    expect(labelled(0, 300, 60)).toEqual([]);
  });

  it('is walked through by keys, and no further than it goes', () => {
    expect(moved('ArrowRight', null, 5)).toBe(0);
    expect(moved('ArrowLeft', null, 5)).toBe(4);
    expect(moved('ArrowRight', 4, 5)).toBe(4);
    expect(moved('ArrowLeft', 0, 5)).toBe(0);
    expect(moved('PageUp', 1, 24)).toBe(8);
    expect([moved('Home', 3, 5), moved('End', 3, 5), moved('a', 3, 5)]).toEqual([0, 4, null]);
  });
});
