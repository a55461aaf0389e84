import { describe, expect, it } from 'vitest';
import { modifier, NUMBERED, wish } from './keys';

const press = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

describe('keys', () => {
  it('lead to the palette from everywhere, and by themselves only where nobody types', () => {
    expect(wish(press('k', { ctrlKey: true }), true)).toBe('palette');
    expect(wish(press('K', { metaKey: true }), false)).toBe('palette');
    expect(wish(press('/'), false)).toBe('palette');
    expect(wish(press('/'), true)).toBe(null);
    expect(wish(press('k'), false)).toBe(null);
  });

  it('lead to the screens by their place in the sidebar', () => {
    expect(NUMBERED.map((_, at) => wish(press(String(at + 1), { ctrlKey: true }), false))).toEqual(NUMBERED.map((screen) => ({ screen })));
    expect(wish(press('9', { ctrlKey: true }), false)).toBe(null);
    expect(wish(press('0', { metaKey: true }), false)).toBe(null);
    expect(wish(press('1'), false)).toBe(null);
  });

  it('leave to others what is theirs', () => {
    expect(wish(press('?', { shiftKey: true }), false)).toBe('help');
    expect(wish(press('?', { shiftKey: true }), true)).toBe(null);
    expect(wish(press('k', { ctrlKey: true, shiftKey: true }), false)).toBe(null);
    expect(wish(press('1', { altKey: true, ctrlKey: true }), false)).toBe(null);
    expect([modifier('MacIntel'), modifier('Linux x86_64')]).toEqual(['⌘', 'Ctrl']);
  });
});
