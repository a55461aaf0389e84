import { describe, expect, it } from 'vitest';
import { readNow, sections } from './sections';

describe('the parts of the settings', () => {
  it('are fewer in a browser', () => {
    expect(sections(true)).toContain('updates');
    expect(sections(false)).not.toContain('updates');
    expect(sections(false)[0]).toBe('general');
  });

  it('tell which of them is read', () => {
    const tops = [-300, -20, 180, 600];
    expect(readNow(tops, 40, false)).toBe(1);
    expect(readNow([12, 300], 40, false)).toBe(0);
    expect(readNow([90, 300], 40, false)).toBe(0);
    // The last ones are too short to reach the edge.
    expect(readNow(tops, 40, true)).toBe(3);
  });
});
