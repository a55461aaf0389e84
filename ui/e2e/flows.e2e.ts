// What people do here, from the first visit on.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Dashboard } from './support/page';
import { onStage } from './support/stage';

onStage('the dashboard', (stage) => {
  let dashboard: Dashboard;
  const open = async (to: string) => (dashboard = await stage.open(to));
  const claude = () => {
    const file = join(stage.gateway.home, '.claude', 'settings.json');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const setting = async (key: string) => ((await stage.gateway.api('GET', `/settings/${key}`)) as { value: unknown }).value;

  it('leads to a first answer in three clicks, where four are allowed', async () => {
    await open('onboarding');
    await dashboard.says(dashboard.t('onboarding.demo_on'));
    await dashboard.button('onboarding.client_go', { name: 'Claude Code' }).click();
    await dashboard.says(dashboard.t('will.create'));
    expect(claude()).toBe('');
    await dashboard.button('plan.go', { count: 1 }).click();
    await dashboard.says(dashboard.t('onboarding.request_wait'));
    expect(claude()).toContain(stage.gateway.url);
    await stage.gateway.say('[[demo:text The first answer]]');
    await dashboard.button('onboarding.finish').click();
    await dashboard.page.getByRole('heading', { level: 1 }).waitFor();
    expect(dashboard.page.url()).toContain('#/overview');
  });

  it('changes a setting, and shows what was changed elsewhere', async () => {
    await open('settings');
    const log = dashboard.page.getByRole('switch', { name: dashboard.t('settings.log_file') });
    const before = await log.getAttribute('aria-checked');
    await log.click();
    await expect.poll(() => setting('log_file')).toBe(before !== 'true');
    await stage.gateway.api('DELETE', '/settings/log_file');
    await expect.poll(() => log.getAttribute('aria-checked')).toBe(before);
  });

  it('makes a client key that is shown once, and revokes it', async () => {
    await open('settings');
    const names = async () => ((await stage.gateway.api('GET', '/keys')) as { keys: { name: string }[] }).keys.map(({ name }) => name);
    await dashboard.field('client_keys.name').fill('spare');
    await dashboard.button('client_keys.create').click();
    await dashboard.says(dashboard.t('client_keys.made', { name: 'spare' }));
    await dashboard.button('client_keys.kept').click();
    await dashboard.button('client_keys.revoke_one', { name: 'spare' }).click();
    await dashboard.button('client_keys.revoke').click();
    await expect.poll(names).not.toContain('spare');
  });

  it('finds any setting, changes it, and brings the default back', async () => {
    await open('settings');
    await dashboard.field('advanced.search').fill('capture hours');
    const row = dashboard.page.locator('[data-setting=capture_keep_hours]');
    await row.locator('input').fill('12');
    await row.locator('input').press('Enter');
    await expect.poll(() => setting('capture_keep_hours')).toBe(12);
    await row.getByRole('button', { name: dashboard.t('advanced.reset', { value: '24' }) }).click();
    await expect.poll(() => setting('capture_keep_hours')).toBe(24);
  });

  it('says what is well, and shows what it would export', async () => {
    await open('settings');
    await dashboard.button('diagnostics.run').click();
    await dashboard.page.locator('[data-check=request_log]').waitFor();
    await dashboard.button('diagnostics.export').click();
    await dashboard.says(dashboard.t('diagnostics.without'));
    expect(await dashboard.barriers()).toEqual([]);
    const [file] = await Promise.all([dashboard.page.waitForEvent('download'), dashboard.button('diagnostics.save').click()]);
    const text = readFileSync(await file.path(), 'utf8');
    expect(Object.keys(JSON.parse(text))).toContain('doctor');
    expect(text).not.toContain('@');
  });

  it('looks and speaks as it is told, now and next time', async () => {
    await open('settings');
    const { page } = dashboard;
    const canvas = () => page.evaluate(() => getComputedStyle(document.querySelector('main') ?? document.body).backgroundColor);
    const light = await canvas();
    await dashboard.field('settings.theme').selectOption('dark');
    await expect.poll(canvas).not.toBe(light);
    await page.reload();
    await dashboard.says(dashboard.t('settings.theme'));
    expect(await canvas()).not.toBe(light);
    await dashboard.field('settings.language').selectOption('zh');
    await page.getByRole('heading', { level: 1, name: '设置' }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
  });

  it('lists requests while they run, finds them, and shows all there is of one', async () => {
    await stage.gateway.api('POST', '/capture', { minutes: 5, client: null, images: false });
    await open('requests');
    const { page } = dashboard;
    const rows = page.getByRole('grid').getByRole('row');
    const asked = stage.gateway.say('[[demo:drip 20 100]]', { model: 'haiku' });
    await rows.filter({ hasText: 'haiku' }).filter({ hasText: dashboard.t('requests.answering') }).waitFor();
    await asked;
    await rows.filter({ hasText: 'haiku' }).filter({ hasText: dashboard.t('requests.answering') }).waitFor({ state: 'detached' });
    await stage.gateway.say('nobody', { model: 'not-a-model' });
    await rows.filter({ hasText: 'not-a-model' }).waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('haiku');
    await rows.filter({ hasText: 'not-a-model' }).waitFor({ state: 'detached' });
    await dashboard.button('requests.clear').click();
    await dashboard.field('requests.col_outcome').selectOption('refused');
    await rows.filter({ hasText: 'haiku' }).waitFor({ state: 'detached' });
    await dashboard.button('requests.clear').click();

    await rows.filter({ hasText: 'haiku' }).first().click();
    for (const tab of ['inspector.request', 'inspector.stream', 'inspector.losses', 'inspector.timeline'] as const) {
      await page.getByRole('tab', { name: dashboard.t(tab) }).click();
      expect(await dashboard.barriers()).toEqual([]);
    }
    await page.getByRole('tab', { name: dashboard.t('inspector.request') }).click();
    await dashboard.says(/demo:drip 20 100/);
    await page.keyboard.press('Escape');
    await page.getByRole('tablist').waitFor({ state: 'detached' });
  });

  it('keeps what is looked for in the address, so that it can be passed on and gone back over', async () => {
    await stage.gateway.say('nobody', { model: 'not-a-model' });
    await open('requests');
    const { page } = dashboard;
    const rows = page.getByRole('grid').getByRole('row');
    const at = (end: string) => expect.poll(() => page.url()).toMatch(new RegExp(`#/requests${end}$`));
    await rows.filter({ hasText: 'haiku' }).first().waitFor();
    await dashboard.field('requests.col_outcome').selectOption('refused');
    await at('\\?outcome=refused');
    await rows.filter({ hasText: 'haiku' }).first().waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.keyboard.type('not-a & more');
    await at('\\?outcome=refused&q=not-a\\+%26\\+more');
    await dashboard.says(dashboard.t('requests.none'));
    // A search is one step, however often the typing rests.
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('not-a-model');
    await rows.filter({ hasText: 'not-a-model' }).first().waitFor();
    await rows.filter({ hasText: 'not-a-model' }).first().click();
    await at('/req_[^?]+\\?outcome=refused&q=not-a-model');
    await page.goBack();
    await at('\\?outcome=refused&q=not-a-model');
    expect(await dashboard.field('requests.search').inputValue()).toBe('not-a-model');
    await page.goBack();
    await at('\\?outcome=refused');
    expect(await dashboard.field('requests.search').inputValue()).toBe('');
    await page.goBack();
    await at('');
    await rows.filter({ hasText: 'haiku' }).first().waitFor();

    // Somebody opens what was passed on; what makes no sense is said, with a way on.
    await dashboard.go('requests?outcome=refused&colour=blue');
    await rows.filter({ hasText: 'not-a-model' }).first().waitFor();
    expect(await dashboard.field('requests.col_outcome').inputValue()).toBe('refused');
    await dashboard.go('requests?since=yesterdayish');
    await dashboard.says(dashboard.t('requests.unread'));
    await dashboard.button('requests.clear').first().click();
    await rows.filter({ hasText: 'haiku' }).first().waitFor();
    dashboard.wrong.splice(0, dashboard.wrong.length, ...dashboard.wrong.filter((what) => !what.includes('400')));
  });

  it('captures for a while, and stops', async () => {
    await stage.gateway.api('DELETE', '/capture');
    await open('requests');
    await dashboard.button('requests.capture').click();
    expect(await dashboard.barriers()).toEqual([]);
    await dashboard.button('capture.start').click();
    await dashboard.button('capture.stop').click();
    await dashboard.button('capture.start').waitFor();
    expect(await stage.gateway.api('GET', '/capture')).toMatchObject({ on: false });
  });

  it('adds up what was used, with a table for each chart', async () => {
    await open('usage');
    const { page } = dashboard;
    for (const range of ['range.week', 'range.month', 'range.today'] as const) {
      await page.getByText(dashboard.t(range), { exact: true }).click();
    }
    const title = dashboard.t('usage.tokens');
    const twin = page.getByRole('button', { name: dashboard.t('chart.table_of', { title }) });
    await twin.click();
    await page.getByRole('region', { name: dashboard.t('chart.table_of', { title }) }).waitFor();
    expect(await dashboard.barriers()).toEqual([]);
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByTitle(dashboard.t('usage.csv')).click(),
    ]);
    expect(readFileSync(await saved.path(), 'utf8')).toContain('requests');
  });

  it('decides what a name means, and tries it', async () => {
    await open('models');
    const { page } = dashboard;
    const role = page.locator('[data-role=haiku]');
    const model = role.getByLabel(dashboard.t('models.model_for', { name: 'Haiku' }));
    const before = await model.inputValue();
    const other = (await model.locator('option').evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value))).find(
      (value) => value !== before && !value.startsWith(' '),
    );
    await model.selectOption(other ?? '');
    await role.getByRole('button', { name: dashboard.t('models.undo') }).click();
    await expect.poll(() => model.inputValue()).toBe(before);

    await dashboard.field('models.new_name').fill('swift');
    await dashboard.button('models.add').click();
    await page.locator('[data-alias=swift]').waitFor();
    await dashboard.field('models.try_name').fill('swift');
    await dashboard.button('models.try_go').click();
    await page.locator('main code').filter({ hasText: /^swift$/ }).nth(1).waitFor();
    expect(await dashboard.barriers()).toEqual([]);
    await dashboard.button('models.remove', { name: 'swift' }).click();
    await page.locator('[data-alias=swift]').waitFor({ state: 'detached' });
  });

  it('asks a model, shows both sides of the answer, and stops when told', async () => {
    await open('playground');
    const { page } = dashboard;
    await dashboard.field('playground.prompt').fill('[[demo:reasoning]] [[demo:text Both shores.]]');
    await page.keyboard.press('Control+Enter');
    await dashboard.says('Both shores.');
    expect(await dashboard.barriers()).toEqual([]);
    await dashboard.field('playground.dialect').selectOption('chat');
    await dashboard.field('playground.prompt').fill('[[demo:text The other way.]]');
    await page.keyboard.press('Control+Enter');
    await dashboard.says('The other way.');
    await dashboard.says(/chat\.completion\.chunk/);
    await dashboard.field('playground.prompt').fill('[[demo:drip 300 100]]');
    await dashboard.button('playground.send').click();
    await dashboard.button('playground.stop').click();
    await dashboard.says(dashboard.t('playground.stopped'));
    await dashboard.button('playground.send').waitFor();
  });

  it('says that it is locked out when its session ends, and how to get back in', async () => {
    await open('overview');
    await dashboard.context.clearCookies();
    await dashboard.page.reload();
    await dashboard.says(dashboard.t('door.closed'));
    expect(await dashboard.barriers()).toEqual([]);
    // The answers that say so are told on the console by the browser itself.
    dashboard.wrong.splice(0, dashboard.wrong.length, ...dashboard.wrong.filter((what) => !what.includes('401')));
  });
});
