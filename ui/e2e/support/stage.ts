// What nearly every file of tests stands on: a gateway and a browser of its own, and pages that did nothing wrong.

import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { Gateway } from './gateway';
import { Dashboard, type Look, launch } from './page';
import { missing } from './tools';

export class Stage {
  #browser: Browser | undefined;
  #gateway: Gateway | undefined;
  readonly #open: Dashboard[] = [];

  get browser(): Browser {
    return there(this.#browser);
  }

  get gateway(): Gateway {
    return there(this.#gateway);
  }

  /** The page that was opened last. */
  get dashboard(): Dashboard {
    return there(this.#open.at(-1));
  }

  /** A page; it is closed after the test, which fails if anything was wrong with it. */
  async open(to = '', look: Look = {}): Promise<Dashboard> {
    const dashboard = await Dashboard.open(this.browser, this.gateway, look, to);
    this.#open.push(dashboard);
    return dashboard;
  }

  async begin(make: () => Promise<Gateway>): Promise<void> {
    [this.#browser, this.#gateway] = await Promise.all([launch(), make()]);
  }

  async closeAll(): Promise<string[]> {
    const all = this.#open.splice(0);
    await Promise.all(all.map((dashboard) => dashboard.close()));
    return all.flatMap(({ wrong }) => wrong);
  }

  async end(): Promise<void> {
    await this.#browser?.close();
    await this.#gateway?.stop();
  }
}

/** Tests on such a stage; they are skipped where there is no browser or no program. */
export function onStage(name: string, tests: (stage: Stage) => void, make = () => Gateway.start()): void {
  describe.skipIf(missing() !== null)(name, () => {
    const stage = new Stage();
    beforeAll(() => stage.begin(make));
    afterAll(() => stage.end());
    afterEach(async () => expect(await stage.closeAll()).toEqual([]));
    tests(stage);
  });
}

function there<T>(what: T | undefined): T {
  if (what === undefined) throw new Error('not before the tests have begun, or no page is open');
  return what;
}
