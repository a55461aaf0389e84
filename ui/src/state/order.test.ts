import { expect, it } from 'vitest';
import { alike, areAlike, byPriority, dropPlace, placed, ranks } from './order';

const of = (...priorities: number[]) => priorities.map((priority, at) => ({ id: 'abcd'.charAt(at), priority }));

it('shows the highest first, and equals as they came', () => {
  expect(byPriority(of(0, 2, 0, 2)).map(({ id }) => id).join('')).toBe('bdac');
});

it('puts one at a place, and none beyond the ends', () => {
  expect(placed(['a', 'b', 'c'], 'c', 0)).toEqual(['c', 'a', 'b']);
  expect(placed(['a', 'b', 'c'], 'a', 1)).toEqual(['b', 'a', 'c']);
  expect(placed(['a', 'b', 'c'], 'a', 9)).toEqual(['b', 'c', 'a']);
  expect(placed(['a', 'b', 'c'], 'c', -1)).toEqual(['c', 'a', 'b']);
});

it('writes only what changes', () => {
  expect(ranks(of(0, 0, 0), ['b', 'a', 'c'])).toEqual([{ id: 'b', priority: 2 }, { id: 'a', priority: 1 }]);
  expect(ranks(of(2, 1, 0), ['a', 'b', 'c'])).toEqual([]);
  expect(ranks(of(2, 1, 0), ['a', 'c', 'b'])).toEqual([{ id: 'c', priority: 1 }, { id: 'b', priority: 0 }]);
});

it('makes all alike', () => {
  expect(areAlike(of(3, 3))).toBe(true);
  expect(areAlike(of(3, 0))).toBe(false);
  expect(alike(of(3, 0))).toEqual([{ id: 'a', priority: 0 }]);
});

it('drops a row between those that it lies between', () => {
  const middles = [50, 150, 250];
  expect(dropPlace(middles, 0, 60)).toBe(0);
  expect(dropPlace(middles, 0, 160)).toBe(1);
  expect(dropPlace(middles, 0, 300)).toBe(2);
  expect(dropPlace(middles, 2, 40)).toBe(0);
  expect(dropPlace(middles, 2, 140)).toBe(1);
  expect(dropPlace(middles, 1, 150)).toBe(1);
});
