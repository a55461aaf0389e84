// What is well and what is not, when somebody asks; and a file of it for somebody else.

import { settings } from '../api/client';
import { bring } from '../i18n/said.svelte';
import { doctor as ask, logs } from '../api/settings';
import type { Doctor } from '../api/types';
import { type Diagnostics, told, written } from './diagnostics';
import { live } from './live.svelte';
import { toasts } from './toasts.svelte';

const LINES = 500;

export interface Export {
  name: string;
  text: string;
  lines: number;
  checks: number;
  settings: number;
}

export class DoctorRun {
  found = $state.raw<Doctor | null>(null);
  busy = $state(false);

  async run(upstream: boolean): Promise<void> {
    this.busy = true;
    try {
      [this.found] = await Promise.all([ask(upstream), bring('clients')]);
    } catch (error) {
      toasts.fail(error);
    } finally {
      this.busy = false;
    }
  }

  /** Put together, and not saved yet: the person sees first what is in it. */
  async gather(now: Date): Promise<Export | null> {
    this.busy = true;
    try {
      const [doctor, list, { lines }] = await Promise.all([ask(false), settings(), logs(LINES)]);
      const all: Diagnostics = {
        made_at: now.toISOString(),
        version: live.status?.version ?? '',
        started_at: live.status?.started_at ?? '',
        page: navigator.userAgent,
        doctor,
        ...told(list.settings),
        log: lines,
      };
      const day = all.made_at.slice(0, 10);
      return {
        name: `codeferry-diagnostics-${day}.json`,
        text: written(all),
        lines: lines.length,
        checks: doctor.rows.length,
        settings: Object.keys(all.settings).length,
      };
    } catch (error) {
      toasts.fail(error);
      return null;
    } finally {
      this.busy = false;
    }
  }
}
