// Every screen, full and empty, in both languages, both themes, wide and narrow: without barriers, overflow or third parties.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Gateway } from './support/gateway';
import { Dashboard, type Look, SCREENS, launch } from './support/page';
import { missing } from './support/tools';

const LOOKS: Look[] = (['en', 'zh'] as const).flatMap((language) =>
  (['light', 'dark'] as const).flatMap((theme) => [1280, 390].map((width) => ({ language, theme, width }))),
);
/** So high that nothing is out of sight: what is, axe cannot tell the contrast of. */
const TALL = 2600;
/** What a screen shows once it has read what it shows. */
const FULL: Record<string, string> = {
  overview: 'main table tbody tr >> nth=3',
  accounts: '[data-account]',
  requests: '[role=grid] [role=row] >> nth=4',
  usage: 'main canvas',
  models: '[data-role] select',
  clients: '[data-client]',
  playground: 'main form',
  settings: 'main [role=switch]',
  onboarding: 'main ol',
};
const named = ({ language, theme, width }: Look) => `${language} ${theme} ${width}`;

describe.skipIf(missing() !== null)('the screens', () => {
  let browser: Browser;
  let full: Gateway;
  let empty: Gateway;
  let exchange = '';

  beforeAll(async () => {
    [browser, full, empty] = await Promise.all([launch(), Gateway.start(), Gateway.start({ demo: false })]);
    await full.api('POST', '/capture', { minutes: 5, client: null, images: false });
    await full.say('[[demo:text <b>not bold</b>]]');
    await full.say('[[demo:reasoning]] [[demo:text Both shores.]]', { model: 'opus' });
    await full.say('[[demo:refusal]]');
    await full.say('nobody knows this one', { model: 'a-model-that-is-not' });
    // The log is written beside the requests.
    exchange = await vi.waitFor(async () => {
      const { exchanges } = (await full.api('GET', '/exchanges')) as { exchanges: { id: string; asked: string }[] };
      expect(exchanges.length).toBe(4);
      return exchanges.at(-1)?.id ?? '';
    }, 10_000);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([full?.stop(), empty?.stop()]);
  });

  async function look(gateway: Gateway, how: Look, places: readonly string[], shows: Record<string, string> = {}): Promise<void> {
    const dashboard = await Dashboard.open(browser, gateway, { ...how, height: TALL });
    const found: Record<string, unknown> = {};
    for (const place of places) {
      await dashboard.go(place);
      const screen = place.split('/')[0] ?? '';
      await dashboard.page.getByRole('heading', { level: 1, name: dashboard.title(screen) }).first().waitFor({ state: 'attached' });
      if (shows[screen] !== undefined) await dashboard.page.locator(shows[screen]).first().waitFor();
      if (place !== screen) await dashboard.page.getByRole('tabpanel').waitFor();
      await expect.poll(() => dashboard.page.locator('[role=status] svg.animate-spin').count()).toBe(0);
      const barriers = await dashboard.barriers();
      const wider = await dashboard.overflow();
      if (barriers.length > 0) found[place] = barriers;
      if (wider > 0) found[`${place}, wider than the window`] = wider;
    }
    expect(found).toEqual({});
    expect(dashboard.wrong).toEqual([]);
    await dashboard.close();
  }

  it.each(LOOKS.map((how) => [named(how), how] as const))('are there for everybody: %s', async (_, how) => {
    await look(full, how, [...SCREENS, `requests/${exchange}`], FULL);
  });

  it.each([LOOKS[0], LOOKS[7]].map((how) => [named(how ?? {}), how ?? {}] as const))('say what to do when empty: %s', async (_, how) => {
    await look(empty, how, SCREENS);
  });

  it.each([LOOKS[1], LOOKS[6]].map((how) => [named(how ?? {}), how ?? {}] as const))('say what is wrong, and what to do: %s', async (_, how) => {
    const dashboard = await Dashboard.open(browser, full, { ...how, height: TALL });
    const { page } = dashboard;
    // In words that no catalogue has.
    const message = 'Nothing was read by sector 4711';
    await page.route(/\/api\/(?!session|events|status)/, (route) => route.fulfill({ status: 500, json: { code: 'broken', message, hint: 'make room on it' } }));
    await page.reload();
    const found: Record<string, unknown> = {};
    for (const place of ['overview', 'requests', 'usage', 'models', 'clients', 'clients/claude-code', 'settings', 'onboarding']) {
      await dashboard.go(place);
      const told = page.getByRole('alert').filter({ hasText: /4711/ }).first();
      await told.waitFor();
      await told.getByRole('button', { name: dashboard.t('shared.retry') }).waitFor();
      const barriers = await dashboard.barriers();
      if (barriers.length > 0) found[place] = barriers;
      if ((await dashboard.overflow()) > 0) found[`${place}, wider than the window`] = true;
    }
    expect(found).toEqual({});
    await dashboard.close();
  });

  it.each([1600, 1280, 768, 390])('have room for longer words: %i', async (width) => {
    const dashboard = await Dashboard.open(browser, full, { width });
    for (const place of SCREENS) {
      await dashboard.go(place);
      await dashboard.page.getByRole('heading', { level: 1, name: dashboard.title(place) }).waitFor();
      await dashboard.page.locator(FULL[place] ?? 'main').first().waitFor();
      await dashboard.page.evaluate(() => {
        const page = window as unknown as { longer?: WeakMap<Node, string> };
        const longer = (page.longer ??= new WeakMap());
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
          const text = node.nodeValue ?? '';
          // Once: the sidebar stays from screen to screen.
          if (longer.get(node) === text) continue;
          if (text.trim().length > 3) node.nodeValue = `${text} ${text.trim().slice(0, Math.ceil(text.trim().length * 0.4))}`;
          longer.set(node, node.nodeValue ?? '');
        }
      });
      expect(await dashboard.overflow(), place).toBe(0);
    }
    await dashboard.close();
  });

  it('show what was said as text', async () => {
    const dashboard = await Dashboard.open(browser, full, {}, `requests/${exchange}`);
    await dashboard.says(dashboard.t('inspector.request'));
    expect(await dashboard.page.locator('b').filter({ hasText: 'not bold' }).count()).toBe(0);
    expect(dashboard.wrong).toEqual([]);
    await dashboard.close();
  });
});
