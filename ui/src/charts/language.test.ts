import { describe, expect, it } from 'vitest';
import { mended } from './language';

/** As `navigator` has it: no property of its own. */
class Teller {
  constructor(readonly told: string) {}
  get language(): string {
    return this.told;
  }
}

describe('the language that a browser tells', () => {
  it('is one afterwards, also where the locale is C', () => {
    for (const told of ['C', 'C.UTF-8', 'POSIX', '']) {
      const { language } = mended(new Teller(told));
      expect(() => new Intl.NumberFormat(language), told).not.toThrow();
    }
  });

  it('is left alone when it is one', () => {
    expect(mended(new Teller('zh-CN')).language).toBe('zh-CN');
  });
});
