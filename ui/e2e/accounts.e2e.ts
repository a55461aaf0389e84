// Who pays: signing in by each way, and what can be done with accounts.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthHost } from './support/auth';
import { Gateway } from './support/gateway';
import { Dashboard, launch } from './support/page';
import { missing } from './support/tools';

describe.skipIf(missing() !== null)('accounts', () => {
  let browser: Browser;
  let auth: AuthHost;
  let gateway: Gateway;

  beforeAll(async () => {
    [browser, auth] = await Promise.all([launch(), AuthHost.start()]);
    gateway = await Gateway.start({ demo: false, auth: auth.url });
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
    await auth?.stop();
  });

  const accounts = async () =>
    ((await gateway.api('GET', '/accounts')) as { accounts: { email: string; label: string | null; active: boolean; paused: boolean; priority: number }[] }).accounts;

  it('say what became of a sign-in that was declined', async () => {
    const dashboard = await Dashboard.open(browser, gateway, {}, 'accounts');
    const { page } = dashboard;
    await dashboard.button('accounts.add').click();
    expect(await dashboard.barriers()).toEqual([]);
    const opened = dashboard.context.waitForEvent('page');
    await dashboard.button('sign_in.plan').click();
    await opened;
    await page.getByRole('dialog').getByText(dashboard.t('sign_in.failed')).waitFor();
    expect(await dashboard.barriers()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(dashboard.wrong).toEqual([]);
    await dashboard.close();
  });

  it('come with a code that is typed elsewhere, and show it at once', async () => {
    const dashboard = await Dashboard.open(browser, gateway, {}, 'accounts');
    const { page } = dashboard;
    for (const who of ['work', 'home']) {
      Object.assign(auth, { who, typed: false });
      await dashboard.button('accounts.add').click();
      await dashboard.button('sign_in.codex_device').click();
      await page.getByRole('dialog').getByText('FERRY-42').waitFor();
      expect(await dashboard.barriers()).toEqual([]);
      auth.typed = true;
      await page.getByRole('dialog').getByText(dashboard.t('sign_in.done')).waitFor();
      await dashboard.button('sign_in.finish').click();
      await page.locator('main').getByText(`${who}@demo.test`).first().waitFor();
    }
    expect(dashboard.wrong).toEqual([]);
    await dashboard.close();
  });

  it('are put in an order by keys, and back', async () => {
    const dashboard = await Dashboard.open(browser, gateway, {}, 'accounts');
    const { page } = dashboard;
    const priorities = async () => (await accounts()).map((one) => one.priority).sort();
    await page.locator('[data-grip]').last().press('ArrowUp');
    await dashboard.button('accounts.move_undo').waitFor();
    expect(await priorities()).toEqual([0, 1]);
    expect(await dashboard.barriers()).toEqual([]);
    await dashboard.button('accounts.move_undo').click();
    await dashboard.says(dashboard.t('accounts.moved_back'));
    expect(await priorities()).toEqual([0, 0]);
    expect(dashboard.wrong).toEqual([]);
    await dashboard.close();
  });

  it('are switched, paused, renamed and removed', async () => {
    const dashboard = await Dashboard.open(browser, gateway, {}, 'accounts');
    const { page } = dashboard;
    const row = (name: string) => page.locator('li[data-account]').filter({ hasText: name });
    const choose = async (name: string, item: Parameters<Dashboard['t']>[0]) => {
      await row(name).getByRole('button', { name: dashboard.t('accounts.more', { name }) }).click();
      await page.getByRole('menuitem', { name: dashboard.t(item) }).click();
    };

    await row('home@demo.test').getByRole('button', { name: dashboard.t('accounts.switch') }).click();
    await row('home@demo.test').getByText(dashboard.t('accounts.active')).waitFor();
    expect((await accounts()).find((one) => one.active)?.email).toBe('home@demo.test');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('combobox').fill('use work');
    await page.getByRole('option', { name: dashboard.t('palette.use', { name: 'work@demo.test' }), selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await row('work@demo.test').getByText(dashboard.t('accounts.active')).waitFor();

    await choose('work@demo.test', 'accounts.pause');
    await row('work@demo.test').getByText(dashboard.t('health.paused')).waitFor();
    await row('work@demo.test').getByRole('button', { name: dashboard.t('accounts.resume') }).click();
    await row('work@demo.test').getByText(dashboard.t('health.paused')).waitFor({ state: 'detached' });

    await choose('work@demo.test', 'accounts.rename');
    expect(await dashboard.barriers()).toEqual([]);
    await dashboard.field('accounts.label').fill('The office');
    await page.keyboard.press('Enter');
    await row('The office').waitFor();
    expect((await accounts()).map((one) => one.label)).toContain('The office');

    await choose('The office', 'accounts.remove');
    expect(await dashboard.barriers()).toEqual([]);
    await dashboard.button('accounts.remove_go').click();
    await row('The office').waitFor({ state: 'detached' });
    expect((await accounts()).map((one) => one.email)).toEqual(['home@demo.test']);
    expect(dashboard.wrong).toEqual([]);
    await dashboard.close();
  });

  it('take a server that is asked for by name', async () => {
    const dashboard = await Dashboard.open(browser, gateway, {}, 'accounts');
    await dashboard.button('server.open').click();
    expect(await dashboard.barriers()).toEqual([]);
    await dashboard.field('server.verify').uncheck();
    await dashboard.button('server.go').click();
    await dashboard.page.locator('li[data-account]').filter({ hasText: 'ollama' }).waitFor();
    expect((await accounts()).map((one) => one.label)).toContain('ollama');
    expect(dashboard.wrong).toEqual([]);
    await dashboard.close();
  });
});
