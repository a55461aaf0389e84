// In Chinese, everything is: whatever a screen shows and is English is a name, a command, or somebody else's words.

import { beforeAll, expect, it, vi } from 'vitest';
import { type Dashboard, SCREENS } from './support/page';
import { onStage } from './support/stage';

/** English that may stand there, and why. */
const ALLOWED: readonly [RegExp, string][] = [
  [/^(Continue with ChatGPT|Using ChatGPT plan)/, 'OpenAI asks for these words as they are'],
  [/OpenAI Chat Completions|Anthropic Messages/, 'names of dialects'],
  [/^A simulated model of the demo upstream\.$|^In Roo Code's settings/, 'words of a catalogue, and of lines to copy'],
];
/** Commands and names within a sentence. */
const NAMES = /`[^`]*`|codeferry [a-z]+( [a-z-]+)*|agent: open settings|store: false/g;
/** Two small English words side by side. */
const ENGLISH = /\b[a-z]{2,}[,;:]? (?:[a-z]{2,} ?)+/;

onStage('in Chinese', (stage) => {
  let ids: string[] = [];

  beforeAll(async () => {
    const { gateway } = stage;
    await gateway.say('[[demo:text Both shores.]]');
    await gateway.say('[[demo:refusal]]');
    await gateway.say('nobody knows this one', { model: 'a-model-that-is-not' });
    await gateway.api('PUT', '/settings/overall_deadline_seconds', { value: 120 });
    ids = await vi.waitFor(async () => {
      const { exchanges } = (await gateway.api('GET', '/exchanges')) as { exchanges: { id: string }[] };
      expect(exchanges.length).toBe(3);
      return exchanges.map(({ id }) => id);
    }, 10_000);
  });
  /** What of it is English, of all that is shown or read out. Code and the words of people are not looked at. */
  async function english(dashboard: Dashboard): Promise<string[]> {
    const texts = await dashboard.page.evaluate(() => {
      const found: string[] = [];
      const passed = 'code, pre, kbd, input, textarea, canvas, [translate=no], .font-mono';
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const element = node instanceof Element ? node : node.parentElement;
        if (element === null || element.closest(passed) !== null) continue;
        if (node instanceof Element) for (const name of ['title', 'aria-label', 'placeholder', 'alt']) found.push(node.getAttribute(name) ?? '');
        else if (element.checkVisibility()) found.push(node.nodeValue ?? '');
      }
      return found.map((text) => text.trim()).filter((text) => text !== '');
    });
    const allowed = (text: string) => ALLOWED.some(([pattern]) => pattern.test(text));
    return [...new Set(texts)].filter((text) => ENGLISH.test(text.replaceAll(NAMES, '')) && !allowed(text));
  }

  it('are all the screens', async () => {
    const dashboard = await stage.open('', { language: 'zh', height: 3000 });
    const found: Record<string, string[]> = {};
    const look = async (where: string) => {
      await expect.poll(() => dashboard.page.locator('[role=status] svg.animate-spin').count()).toBe(0);
      // What the gateway says is translated when its sentences are there.
      await expect.poll(() => english(dashboard), { timeout: 2_000 }).toEqual([]).catch(() => {});
      const left = await english(dashboard);
      if (left.length > 0) found[where] = left;
    };
    for (const place of SCREENS) {
      await dashboard.go(place);
      await dashboard.page.getByRole('heading', { level: 1, name: dashboard.title(place) }).first().waitFor({ state: 'attached' });
      await look(place);
    }
    for (const id of ids) {
      await dashboard.go(`requests/${id}`);
      for (const tab of await dashboard.page.getByRole('tab').all()) {
        await tab.click();
        await look(`request ${id} ${await tab.textContent()}`);
      }
    }
    const { clients } = (await stage.gateway.api('GET', '/clients')) as { clients: { client: string }[] };
    for (const { client } of clients) {
      await dashboard.go(`clients/${client}`);
      await dashboard.page.locator('main details summary').first().click({ timeout: 500 }).catch(() => {});
      await look(`client ${client}`);
    }
    expect(found).toEqual({});
  });

  it('are all settings, and what the doctor finds', async () => {
    const dashboard = await stage.open('settings', { language: 'zh', height: 12_000 });
    await dashboard.page.locator('button[aria-expanded=false]').filter({ hasText: /\d/ }).click();
    await dashboard.button('diagnostics.run').click();
    await dashboard.page.locator('[data-check]').nth(5).waitFor();
    await expect.poll(() => english(dashboard)).toEqual([]);
    // A value that is none, refused by the gateway.
    const port = dashboard.page.getByLabel('body_limit_mib', { exact: true }).or(dashboard.field('network.body_limit_mib')).first();
    await port.fill('99999');
    await dashboard.page.getByRole('button', { name: dashboard.t('shared.save'), exact: true }).first().click();
    await dashboard.page.getByRole('alert').first().waitFor();
    await expect.poll(() => english(dashboard)).toEqual([]);
    // The browser tells a refusal on its console, too.
    expect(dashboard.wrong.splice(0).filter((wrong) => !wrong.includes('status of 400'))).toEqual([]);
  });

  it('is what is done to a client', async () => {
    const dashboard = await stage.open('clients/claude-code', { language: 'zh', height: 3000 });
    await dashboard.button('client.set_up').first().click();
    await dashboard.page.getByRole('dialog').getByRole('button', { name: dashboard.t('plan.go', { count: 1 }) }).click();
    await dashboard.page.getByRole('dialog').locator('[data-check]').first().waitFor();
    await expect.poll(() => english(dashboard)).toEqual([]);
  });
});
