// What is shown of a request and its answer, in words. Names of events and headers stay as they are on the wire.

import { t } from '../../i18n';
import { amount, span } from '../../i18n/format';
import { sentence } from '../../parts/sentence';
import type { Step } from '../../api/types';
import type { Item } from '../../state/playground/answer';
import type { Head, Playground, Stage } from '../../state/playground/playground.svelte';
import type { Tone } from '../../shared/Mark.svelte';

/** More of one record is not drawn. */
const LONGEST = 2_000;

/** A text that can be shown in a row. */
export function clipped(text: string): string {
  return text.length <= LONGEST ? text : t('playground.clipped', { text: text.slice(0, LONGEST), count: text.length - LONGEST });
}

/** A step in a line: its name, and what belongs to it. */
export function stepText(step: Step): { name: string; text: string } {
  switch (step.event) {
    case 'started':
      return { name: step.event, text: [step.model, step.id].filter(Boolean).join(' ') };
    case 'item_started':
      return { name: step.event, text: [step.index, step.item, step.name, step.call_id].filter((part) => part !== undefined).join(' ') };
    case 'delta':
      return { name: `${step.event} ${step.delta}`, text: step.text };
    case 'item_done': {
      const sealed = step.sealed === undefined ? '' : ` · ${t('playground.sealed', { count: step.sealed })}`;
      return { name: `${step.event} ${step.index} ${step.item}`, text: `${step.text}${sealed}` };
    }
    case 'usage':
      return { name: step.event, text: t('playground.usage', { input: amount(step.input), cached: amount(step.cached), output: amount(step.output) }) };
    case 'finished':
      return { name: step.event, text: [step.how, step.stop].filter(Boolean).join(' ') };
    case 'failed':
      return { name: step.event, text: [step.code, sentence(step.message)].filter(Boolean).join(': ') };
    case 'cut_off':
      return { name: step.event, text: '' };
  }
}

/** What kind of item, for a person. */
export function itemName(item: Item): string {
  switch (item.kind) {
    case 'message':
      return t('item.message');
    case 'reasoning':
      return t('item.reasoning');
    case 'tool_call':
      return t('item.tool_call', { name: item.name ?? '' });
    case 'search':
      return t('item.search');
    case 'image':
      return t('item.image');
    default:
      return item.kind;
  }
}

/** How it stands, in a sentence. */
export function outcome(playground: Pick<Playground, 'stage' | 'head' | 'ended'>): { tone: Tone; text: string } | null {
  const { stage, head, ended } = playground;
  const texts: Record<Exclude<Stage, 'done' | 'running'>, { tone: Tone; text: string } | null> = {
    idle: null,
    refused: null,
    stopped: { tone: 'idle', text: t('playground.stopped') },
    lost: { tone: 'bad', text: t('playground.lost') },
  };
  if (stage === 'running') return { tone: 'busy', text: head === null ? t('playground.waiting') : t('playground.running', statusOf(head)) };
  if (stage !== 'done') return texts[stage];
  if (head === null) return null;
  const time = { ...statusOf(head), time: span(ended ?? head.at) };
  return head.status < 400 ? { tone: 'good', text: t('playground.done', time) } : { tone: 'bad', text: t('playground.failed', time) };
}

const statusOf = (head: Head) => ({ status: String(head.status), first: span(head.at) });
