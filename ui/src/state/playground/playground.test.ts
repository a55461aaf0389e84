import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../api/client';
import { RecordReader } from '../../api/playground';
import type { PlayRecord, Step } from '../../api/types';
import { NOTHING, after } from './answer';
import { KEPT, Playground } from './playground.svelte';
import { made, wire, type Form } from './request';

const gateway = vi.hoisted(() => ({
  play: (() => Promise.resolve()) as (ask: { request: object }, signal: AbortSignal, tell: (records: unknown[]) => void) => Promise<void>,
}));

vi.mock('../../api/playground', async (original) => ({
  ...(await original<typeof import('../../api/playground')>()),
  play: (...asked: Parameters<typeof gateway.play>) => gateway.play(...asked),
}));
vi.mock('../../api/requests', () => ({ exchange: async (id: string) => ({ id, losses: ['top_k'] }) }));

const head = { at_ms: 1, kind: 'head', status: 200, headers: [['request-id', 'req_1']] } as const;
const text = (index: number, text: string): Step => ({ event: 'delta', index, delta: 'text', text });

describe('records', () => {
  const records: PlayRecord[] = [
    { at_ms: 0, kind: 'head', status: 200, headers: [['x', 'ü — 界']] },
    { at_ms: 1, kind: 'frame', text: 'event: ping\ndata: {"a":"\n\n界"}' },
    { at_ms: 2, kind: 'end', id: null },
  ];
  const stream = new TextEncoder().encode(records.map((record) => `data: ${JSON.stringify(record)}\n\n`).join(''));

  it('are read wherever the stream was cut', () => {
    for (let at = 0; at <= stream.length; at += 1) {
      const reader = new RecordReader();
      expect([...reader.feed(stream.slice(0, at)), ...reader.feed(stream.slice(at))], `cut at ${at}`).toEqual(records);
    }
    const reader = new RecordReader();
    expect([...stream].flatMap((byte) => reader.feed(Uint8Array.of(byte))), 'byte by byte').toEqual(records);
  });

  it('are whole or none', () => {
    expect(new RecordReader().feed(stream.slice(0, -1))).toHaveLength(2);
  });
});

describe('a request', () => {
  const form: Form = { dialect: 'anthropic', model: ' opus ', system: '', prompt: 'hi', tools: '', maxTokens: 64, stream: true };

  it('has what was filled in, and nothing else', () => {
    const messages = [{ role: 'user', content: 'hi' }];
    expect(made(form)).toEqual({ body: { model: 'opus', max_tokens: 64, stream: true, messages } });
    const full = made({ ...form, system: 'be brief', tools: '[{"name":"x"}]', stream: false });
    expect(full).toEqual({
      body: { model: 'opus', max_tokens: 64, stream: false, system: 'be brief', tools: [{ name: 'x' }], messages },
    });
  });

  it('is said in the language that was chosen', () => {
    const chat = made({ ...form, dialect: 'chat', system: 'be brief' });
    const messages = [{ role: 'system', content: 'be brief' }, { role: 'user', content: 'hi' }];
    expect(chat).toEqual({
      body: { model: 'opus', max_completion_tokens: 64, stream: true, stream_options: { include_usage: true }, messages },
    });
    expect(wire('chat')).toEqual({ line: 'POST /v1/chat/completions HTTP/1.1', headers: ['content-type: application/json'] });
    expect(made({ ...form, dialect: 'responses', system: 'be brief' })).toEqual({
      body: { model: 'opus', max_output_tokens: 64, stream: true, instructions: 'be brief', input: 'hi' },
    });
    expect(wire('responses').line).toBe('POST /v1/responses HTTP/1.1');
    expect(wire('anthropic').headers).toContain('anthropic-version: 2023-06-01');
  });

  it('that cannot be sent says why', () => {
    const wrong = (over: Partial<Form>) => made({ ...form, ...over });
    expect(wrong({ model: ' ' })).toMatchObject({ wrong: 'model' });
    expect(wrong({ prompt: '' })).toMatchObject({ wrong: 'prompt' });
    expect(wrong({ tools: '{' })).toMatchObject({ wrong: 'tools_json' });
    expect(wrong({ tools: '{}' })).toMatchObject({ wrong: 'tools_list' });
    for (const maxTokens of [null, 0, 1.5]) expect(wrong({ maxTokens })).toMatchObject({ wrong: 'max_tokens' });
  });
});

describe('an answer', () => {
  it('is put together from its steps, piece by piece as all at once', () => {
    const steps: Step[] = [
      { event: 'started', id: null, model: 'gpt' },
      { event: 'item_started', index: 0, item: 'reasoning' },
      { event: 'delta', index: 0, delta: 'thinking', text: 'hm' },
      { event: 'item_done', index: 0, item: 'reasoning', text: 'hm', sealed: 40 },
      { event: 'item_started', index: 1, item: 'message' },
      text(1, 'well '),
      { event: 'delta', index: 1, delta: 'citation', text: 'https://example.com' },
      text(1, 'said'),
      { event: 'usage', input: 5, cached: 1, output: 2, reasoning: 1 },
      { event: 'finished', how: 'complete' },
    ];
    const whole = after(NOTHING, steps);
    expect(whole.items).toMatchObject([
      { kind: 'reasoning', text: 'hm', sealed: 40, done: true },
      { kind: 'message', text: 'well said', done: false },
    ]);
    expect(whole).toMatchObject({ usage: { input: 5 }, end: { how: 'complete' }, attempts: 1 });
    expect(steps.reduce((answer, step) => after(answer, [step]), NOTHING)).toEqual(whole);
  });

  it('begins anew with another attempt', () => {
    const started: Step = { event: 'started', id: null, model: null };
    const begun: Step = { event: 'item_started', index: 0, item: 'message' };
    const answer = after(NOTHING, [started, begun, text(0, 'half'), { event: 'cut_off' }, started, begun, text(0, 'whole')]);
    expect(answer).toMatchObject({ items: [{ text: 'whole' }], end: null, attempts: 2 });
  });
});

describe('the playground', () => {
  const ready = () => {
    const playground = new Playground((run) => run());
    playground.prompt = 'hi';
    return playground;
  };

  it('shows both sides, and what the log says', async () => {
    const playground = ready();
    gateway.play = async (_, __, tell) => {
      tell([head, { at_ms: 2, kind: 'turn', ...text(0, 'x') }]);
      tell([{ at_ms: 3, kind: 'frame', text: 'event: ping' }, { at_ms: 4, kind: 'end', id: 'req_1' }]);
    };
    await playground.send();
    expect([playground.stage, playground.ended, playground.id]).toEqual(['done', 4, 'req_1']);
    expect(playground.frames).toEqual([{ at: 3, what: 'event: ping' }]);
    expect(playground.steps).toHaveLength(1);
    expect(playground.logged).toMatchObject({ losses: ['top_k'] });
  });

  it('sends nothing that cannot be sent', async () => {
    const playground = ready();
    gateway.play = () => Promise.reject(new Error('it was sent'));
    playground.tools = '[';
    await playground.send();
    expect([playground.stage, playground.wrong?.what]).toEqual(['idle', 'tools_json']);
  });

  it('keeps what came when it is stopped', async () => {
    const playground = ready();
    gateway.play = (_, signal, tell) =>
      new Promise((_, left) => {
        tell([head, { at_ms: 2, kind: 'frame', text: 'half' }]);
        signal.addEventListener('abort', () => left(new DOMException('left', 'AbortError')));
      });
    const sent = playground.send();
    expect(playground.stage).toBe('running');
    playground.stop();
    await sent;
    expect([playground.stage, playground.frames.length, playground.problem]).toEqual(['stopped', 1, null]);
  });

  it('tells a refusal from a connection that broke', async () => {
    const playground = ready();
    gateway.play = () => Promise.reject(new ApiError(413, 'too_large', 'the body is too long', null));
    await playground.send();
    expect([playground.stage, playground.problem?.message]).toEqual(['refused', 'the body is too long']);
    gateway.play = async (_, __, tell) => tell([head]);
    await playground.send();
    expect([playground.stage, playground.problem], 'it ended without an end').toEqual(['lost', null]);
  });

  it('holds no more than it keeps, and counts the rest', async () => {
    const playground = ready();
    gateway.play = async (_, __, tell) => {
      for (let n = 0; n < 3; n += 1) {
        tell(Array.from({ length: KEPT / 2 }, (_, at) => ({ at_ms: at, kind: 'frame', text: `${n} ${at}` })));
      }
    };
    await playground.send();
    expect(playground.frames).toHaveLength(KEPT);
    expect(playground.frames.at(-1)?.what).toBe(`2 ${KEPT / 2 - 1}`);
    expect(playground.counted.frames).toBe((3 * KEPT) / 2);
  });
});
