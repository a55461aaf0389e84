import { describe, expect, it } from 'vitest';
import { phases, share } from './phases';

const attempt = (ms: number, failure?: string) => ({ account: 'a', provider: 'codex', ms, ...(failure === undefined ? {} : { failure }) });
const lengths = (of: Parameters<typeof phases>[0]) => phases(of).map(({ kind, ms }) => [kind, ms]);

describe('the phases of a request', () => {
  it('are the whole of it', () => {
    const attempts = [attempt(800, 'usage_limit'), attempt(500)];
    expect(lengths({ attempts, first_byte_ms: 1_400, total_ms: 9_000 })).toEqual([
      ['failed', 800],
      ['waited', 500],
      ['between', 100],
      ['answer', 7_600],
    ]);
  });

  it('end where nothing was answered', () => {
    expect(lengths({ attempts: [attempt(300, 'connect')], first_byte_ms: null, total_ms: 320 })).toEqual([
      ['failed', 300],
      ['between', 20],
    ]);
    expect(phases({ attempts: [], first_byte_ms: null, total_ms: 0 })).toEqual([]);
  });

  it('are never longer than the whole', () => {
    const list = phases({ attempts: [attempt(900)], first_byte_ms: 850, total_ms: 850 });
    expect(list.reduce((sum, phase) => sum + share(phase, 850), 0)).toBe(100);
  });
});
