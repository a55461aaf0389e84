// The answer as its steps make it. Pure.

import type { Step } from '../../api/types';

export interface Item {
  index: number;
  /** message, reasoning, tool_call, search, image */
  kind: string;
  /** Of a tool. */
  name: string | null;
  text: string;
  /** How long what is sealed in it is. */
  sealed: number | null;
  done: boolean;
}

export interface Answer {
  items: Item[];
  usage: { input: number; cached: number; output: number; reasoning: number } | null;
  end: Extract<Step, { event: 'finished' | 'failed' | 'cut_off' }> | null;
  /** How many attempts were begun. */
  attempts: number;
}

export const NOTHING: Answer = { items: [], usage: null, end: null, attempts: 0 };

/** The answer after these steps as well. What is given stays as it is. */
export function after(answer: Answer, steps: Step[]): Answer {
  if (steps.length === 0) return answer;
  let { usage, end, attempts } = answer;
  let items = [...answer.items];
  const change = (index: number, news: (item: Item) => Partial<Item>) => {
    items = items.map((item) => (item.index === index ? { ...item, ...news(item) } : item));
  };
  for (const step of steps) {
    switch (step.event) {
      case 'started':
        // Another attempt begins anew.
        [items, usage, end] = [[], null, null];
        attempts += 1;
        break;
      case 'item_started':
        items.push({ index: step.index, kind: step.item, name: step.name ?? null, text: '', sealed: null, done: false });
        break;
      case 'delta':
        // A page that is cited is no part of the text.
        if (step.delta !== 'citation') change(step.index, (item) => ({ text: item.text + step.text }));
        break;
      case 'item_done':
        change(step.index, (item) => ({ text: step.text === '' ? item.text : step.text, sealed: step.sealed ?? null, done: true }));
        break;
      case 'usage':
        usage = { input: step.input, cached: step.cached, output: step.output, reasoning: step.reasoning };
        break;
      default:
        end = step;
    }
  }
  return { items, usage, end, attempts };
}
