import { describe, expect, it } from 'vitest';
import type { Model } from '../../api/types';
import { effortsOf, parsed, targetText, windowText } from './target';

const model = (over: Partial<Model> = {}): Model => ({
  model: 'gpt-6-luna',
  name: 'GPT-6-Luna',
  description: null,
  context_window: 272_000,
  max_context_window: null,
  usable_tokens: 258_400,
  efforts: ['low', 'high', 'ultra'],
  default_effort: 'low',
  images: true,
  visible: true,
  providers: [],
  ...over,
});

describe('a target', () => {
  it('offers what its model takes and a setting can say', () => {
    expect(effortsOf('gpt-6-luna', [model()])).toEqual(['low', 'high']);
    expect(effortsOf('ollama/qwen', [model()])).toHaveLength(6);
  });

  it('is read and said', () => {
    expect(parsed('gpt-6-luna:low')).toEqual({ model: 'gpt-6-luna', effort: 'low' });
    expect(parsed('qwen3:8b')).toEqual({ model: 'qwen3:8b', effort: null });
    expect(targetText({ model: 'gpt-6-luna', effort: 'xhigh' })).toBe('gpt-6-luna · Very high');
    expect(targetText({ model: 'gpt-6-luna', effort: 'utmost' })).toBe('gpt-6-luna · utmost');
  });

  it('says how much its model reads, as far as that is known', () => {
    expect(windowText(model())).toBe('272K tokens, of which clients fill 258.4K');
    expect(windowText(model({ usable_tokens: null }))).toBe('272K tokens');
    expect(windowText(model({ context_window: null }))).toBe(null);
  });
});
