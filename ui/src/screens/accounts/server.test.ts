import { expect, it } from 'vitest';
import { isPlain, wanted, type Form } from './server';

const form = (more: Partial<Form>): Form => ({ server: 'other', label: '', url: '', key: '', allowHttp: false, verify: true, ...more });

it('sends what was filled in, and nothing else', () => {
  expect(wanted(form({ server: 'ollama', label: ' ollama ' }))).toEqual({ kind: 'compatible', label: 'ollama', preset: 'ollama', verify: true });
  expect(wanted(form({ label: 'work', url: 'https://llm.example.com/v1', key: 'k', verify: false }))).toEqual({
    kind: 'compatible',
    label: 'work',
    url: 'https://llm.example.com/v1',
    key: 'k',
    verify: false,
  });
});

it('sends no address with a key of OpenAI', () => {
  expect(wanted(form({ server: 'openai_key', label: 'openai', key: 'k', url: 'https://elsewhere.test' }))).toEqual({
    kind: 'openai_key',
    label: 'openai',
    key: 'k',
    verify: true,
  });
});

it('allows plain HTTP only where it is asked about', () => {
  expect(isPlain('http://192.0.2.7:8000/v1')).toBe(true);
  expect(isPlain('http://127.0.0.1:8000/v1') || isPlain('http://localhost/v1') || isPlain('http://[::1]/v1')).toBe(false);
  expect(isPlain('https://192.0.2.7/v1') || isPlain('')).toBe(false);
  expect(wanted(form({ url: 'https://a.test', allowHttp: true }))).not.toHaveProperty('allow_http');
  expect(wanted(form({ url: 'http://a.test', allowHttp: true }))).toHaveProperty('allow_http', true);
});
