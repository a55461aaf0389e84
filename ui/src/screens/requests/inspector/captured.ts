// What a capture holds, as text. Pure.

import type { Capture, CapturedPart, CapturedRecord } from '../../../api/types';

/** What is shown of it. */
export type Told = Pick<Capture, 'request' | 'attempts' | 'answer'>;

/** A body as it is read best: JSON with an indent, anything else as it came. */
export function bodyOf(part: CapturedPart): string {
  return part.json === undefined ? (part.text ?? '') : JSON.stringify(part.json, null, 2);
}

/** What an attempt sent. One that sent the same as another says only so. */
export function lowered(capture: Told, attempt: number): CapturedPart | null {
  const part = capture.attempts[attempt]?.lowered ?? null;
  return part?.same_as === undefined ? part : (capture.attempts[part.same_as - 1]?.lowered ?? null);
}

export interface Frame {
  ms: number;
  /** The event that it names. */
  name: string;
  /** What it carries, on one line. */
  data: string;
  raw: string;
}

/** How much of a frame is seen before it is opened. */
const PREVIEW = 240;

/** A record of an event stream. */
export function frame({ ms, text }: CapturedRecord): Frame {
  const lines = text.split(/\r?\n/);
  const field = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''));
  const data = field('data').join('\n');
  const name = field('event')[0] ?? /"type"\s*:\s*"([^"]+)"/.exec(data)?.[1] ?? (text.startsWith(':') ? ':' : '');
  return { ms, name, data: (data === '' ? text.trim() : data).slice(0, PREVIEW), raw: text.trimEnd() };
}

export interface Side {
  /** Which attempt, counted from 1; `null`: what the client got. */
  attempt: number | null;
  frames: Frame[];
  /** Instead of frames: an answer that was no stream. */
  body: string | null;
  /** Bytes that are not here. */
  cut: number;
}

/** What came from upstream, attempt by attempt, and what the client got of it, which is what one looks at first. */
export function sides(capture: Told): Side[] {
  const side = (attempt: number | null, answer: Capture['answer']): Side => ({
    attempt,
    frames: (answer.stream?.records ?? []).map(frame),
    body: answer.body === undefined ? null : bodyOf(answer.body),
    cut: answer.stream?.cut ?? answer.body?.cut ?? 0,
  });
  const upstream = capture.attempts.flatMap(({ answer }, index) => (answer === undefined ? [] : [side(index + 1, answer)]));
  return [side(null, capture.answer), ...upstream];
}
