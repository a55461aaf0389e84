import { describe, expect, it } from 'vitest';
import { bodyOf, frame, lowered, sides, type Told } from './captured';

describe('a capture', () => {
  it('shows bodies as they are read best', () => {
    expect(bodyOf({ bytes: 7, json: { a: 1 } })).toBe('{\n  "a": 1\n}');
    expect(bodyOf({ bytes: 3, text: '<b>' })).toBe('<b>');
    expect(bodyOf({ bytes: 0 })).toBe('');
  });

  it('names the events of a stream', () => {
    expect(frame({ ms: 12, text: 'event: ping\ndata: {"type": "ping"}\n\n' })).toMatchObject({ name: 'ping', data: '{"type": "ping"}' });
    expect(frame({ ms: 12, text: 'data: {"type":"response.created"}\r\n\r\n' }).name).toBe('response.created');
    expect(frame({ ms: 12, text: ': keep-alive\n\n' })).toMatchObject({ name: ':', data: ': keep-alive' });
    expect(frame({ ms: 0, text: `data: ${'x'.repeat(9_999)}` }).data.length).toBeLessThan(300);
  });

  it('finds what an attempt sent, and every side of the answer', () => {
    const answer = { at_ms: 1, status: 200, headers: [], stream: { bytes: 9, records: [{ ms: 1, text: 'data: a' }] } };
    const refused = { at_ms: 1, status: 429, headers: [], body: { bytes: 2, json: {} } };
    const capture: Told = {
      request: { line: 'POST / HTTP/1.1', headers: [], body: { bytes: 0 } },
      attempts: [
        { at_ms: 0, lowered: { bytes: 1, json: 1 }, failure: 'usage_limit', answer: refused },
        { at_ms: 5, lowered: { bytes: 1, same_as: 1 }, answer },
        { at_ms: 9, lowered: { bytes: 1, json: 2 }, failure: 'connect' },
      ],
      answer,
    };
    expect(lowered(capture, 1)).toEqual({ bytes: 1, json: 1 });
    expect(sides(capture).map(({ attempt, frames, body }) => [attempt, frames.length, body])).toEqual([
      [null, 1, null],
      [1, 0, '{}'],
      [2, 1, null],
    ]);
  });
});
