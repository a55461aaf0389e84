// The screen of clients: first with made-up answers, for states that no machine of ours is in; then with the real ones.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLIENTS, type MadeUp, makeUp } from './support/clients';
import { Dashboard, type Look } from './support/page';
import { onStage } from './support/stage';

const LOOKS: Look[] = [
  { language: 'en', theme: 'light', width: 1280 },
  { language: 'en', theme: 'dark', width: 360 },
  { language: 'zh', theme: 'dark', width: 1600 },
  { language: 'zh', theme: 'light', width: 768 },
];

onStage('clients, in every state', (stage) => {
  let dashboard: Dashboard;
  let asked: string[];

  async function open(to: string, answers: MadeUp = {}, look: Look = {}): Promise<void> {
    dashboard = await stage.open('', look);
    asked = await makeUp(dashboard.page, answers);
    await dashboard.go(to);
  }
  const written = () => asked.filter((line) => !line.startsWith('GET') && !line.endsWith('/verify'));
  const sound = async () => expect([await dashboard.barriers(), await dashboard.overflow()]).toEqual([[], 0]);
  const dialog = () => dashboard.page.getByRole('dialog');
  const closed = () => dialog().waitFor({ state: 'detached' });

  it.each(LOOKS.map((look) => [`${look.language} ${look.theme} ${look.width}`, look] as const))('are there for everybody: %s', async (_, look) => {
    await open('clients', {}, { ...look, height: 2600 });
    await dashboard.says(dashboard.t('client.drifted'));
    await sound();
    await dashboard.go('clients/claude-code');
    await dashboard.says(dashboard.t('drift.title'));
    await dashboard.page.locator('[data-conflict=managed_settings]').waitFor();
    await dashboard.button('client.check').first().click();
    await dashboard.page.locator('[data-check=count_tokens]').waitFor();
    await dashboard.page.locator('summary').first().click();
    await sound();
    await dashboard.button('client.set_up_again').first().click();
    await dashboard.button('plan.go', { count: 2 }).waitFor();
    await sound();
    await dashboard.page.keyboard.press('Escape');
    await closed();
    await dashboard.go('clients/cursor');
    await dashboard.says('Cursor asks through its own servers, which do not reach this machine.');
    await sound();
    await dashboard.go('clients/openai');
    await dashboard.button('by_hand.make').waitFor();
    await sound();
    expect(written()).toEqual([]);
  });

  it('show what would change, do just that, and say whether it works', async () => {
    await open('clients/claude-code');
    await dashboard.button('client.set_up_again').first().click();
    const shown = dialog().getByRole('region');
    await shown.getByText('"ANTHROPIC_BASE_URL": "http://127.0.0.1:8081",').waitFor();
    await shown.getByText(dashboard.t('diff.removed').trim()).first().waitFor({ state: 'attached' });
    expect(asked.filter((line) => line.includes('/plan'))).toEqual(['GET /api/clients/claude-code/plan?target=user&to=set_up']);
    // Whoever goes away has changed nothing.
    await dashboard.button('shared.cancel').click();
    await closed();
    expect(written()).toEqual([]);

    await dashboard.button('client.set_up_again').first().click();
    const sent = dashboard.page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/claude-code'));
    await dashboard.button('plan.go', { count: 2 }).click();
    expect((await sent).postDataJSON()).toEqual({ target: 'user', plan: 'a1' });
    await dialog().getByText(dashboard.t('plan.set_up_done', { name: 'Claude Code' })).waitFor();
    await dialog().locator('[data-check="role.haiku"]').waitFor();
    expect(await dashboard.barriers()).toEqual([]);
    expect(await dashboard.button('plan.done').evaluate((button) => button === document.activeElement)).toBe(true);
    await dashboard.button('check.live').click();
    await expect.poll(() => asked.filter((line) => line.endsWith('/verify')).length).toBe(2);
    await dashboard.button('plan.done').click();
    await closed();
    expect(written()).toEqual(['POST /api/clients/claude-code']);
  });

  it('show anew what was changed meanwhile, and write nothing', async () => {
    await open('clients/claude-code', { refuses: { status: 409, code: 'changed_meanwhile', message: 'settings.json was changed by another program' } });
    await dashboard.button('client.set_up_again').first().click();
    await dashboard.button('plan.go', { count: 2 }).click();
    await dialog().getByText(dashboard.t('plan.anew')).waitFor();
    expect(asked.filter((line) => line.includes('/plan')).length).toBe(2);
    await dashboard.button('plan.go', { count: 2 }).waitFor();
    expect(await dashboard.barriers()).toEqual([]);
    expect(dashboard.wrong.splice(0).filter((what) => !what.includes('409'))).toEqual([]);
  });

  it('say why something cannot be done, and what to do', async () => {
    const refuses = { status: 422, code: 'bad_file', message: 'openclaw.json is read-only', hint: 'make it writable, then try again' };
    await open('clients/claude-code', { refuses });
    await dashboard.button('client.set_up_again').first().click();
    await dashboard.button('plan.go', { count: 2 }).click();
    await dialog().getByText('openclaw.json is read-only').waitFor();
    await dialog().getByText('Make it writable, then try again').waitFor();
    expect(dashboard.wrong.splice(0).filter((what) => !what.includes('422'))).toEqual([]);
  });

  it('take a setup back as it was shown, and keep what somebody else wants', async () => {
    await open('clients/claude-code');
    await dashboard.button('client.undo').first().click();
    await dashboard.button('plan.go', { count: 2 }).click();
    await dialog().getByText(dashboard.t('plan.reverted', { name: 'Claude Code' })).waitFor();
    await dashboard.button('plan.done').click();
    await closed();
    await dashboard.button('client.keep').click();
    await expect.poll(written).toEqual(['DELETE /api/clients/claude-code?target=user&plan=a1', 'POST /api/clients/claude-code/drift']);
    expect(asked.find((line) => line.includes('/plan'))).toBe('GET /api/clients/claude-code/plan?target=user&to=revert');
  });

  it('show a copy before it is brought back', async () => {
    await open('clients/claude-code');
    await dashboard.page.locator('[data-backup=b1]').getByRole('button').click();
    await dialog().getByText('"skipWebFetchPreflight": true').waitFor();
    expect(written()).toEqual([]);
    expect(await dashboard.barriers()).toEqual([]);
    await dashboard.button('backups.restore').click();
    await closed();
    expect(written()).toEqual(['POST /api/clients/claude-code/backups/b1/restore']);
  });

  it('put a new key into the lines to copy', async () => {
    await open('clients/openai');
    await dashboard.field('by_hand.name').fill('desk');
    await dashboard.button('by_hand.make').click();
    await dashboard.says(dashboard.t('by_hand.made', { name: 'desk' }));
    const lines = await dashboard.page.locator('main pre').innerText();
    expect(lines).toMatch(/ANTHROPIC_AUTH_TOKEN=cf[-_]/);
    const { keys } = (await stage.gateway.api('GET', '/keys')) as { keys: { name: string; ends_with: string }[] };
    expect(lines.trim().endsWith(keys.find((key) => key.name === 'desk')?.ends_with ?? '?')).toBe(true);
  });

  it('look at a project when asked to', async () => {
    await open('clients/codex');
    await dashboard.page.locator('summary').last().click();
    await dashboard.field('project.folder').fill('/home/ada/boat');
    await dashboard.button('project.look').click();
    await dashboard.says(dashboard.t('project.none', { name: 'Codex CLI' }));
    expect(asked).toContain('GET /api/clients?project=%2Fhome%2Fada%2Fboat');
  });

  it('say what to do when there is none, and when they cannot be read', async () => {
    await open('clients', { clients: CLIENTS.filter((client) => !client.installed) });
    await dashboard.says(dashboard.t('clients.none'));
    await sound();
    await makeUp(dashboard.page, { fails: true });
    await dashboard.page.reload();
    await dashboard.says('Look at the folder');
    await sound();
    await makeUp(dashboard.page);
    await dashboard.button('shared.retry').click();
    await dashboard.says(dashboard.t('client.drifted'));
    await dashboard.go('clients/emacs');
    await dashboard.says(dashboard.t('client.unknown'));
    expect(dashboard.wrong.splice(0).filter((what) => !what.includes('500'))).toEqual([]);
  });
});

onStage('a client of this machine', (stage) => {
  let dashboard: Dashboard;
  // Claude Code passes over a file with comments.
  const MINE = '{\n\t"model": "opus",\n\t"env": {\n\t\t"EDITOR": "vim"\n\t}\n}\n';
  const file = () => join(stage.gateway.home, '.claude', 'settings.json');
  const stands = () => (existsSync(file()) ? readFileSync(file(), 'utf8') : '');
  const dialog = () => dashboard.page.getByRole('dialog');
  const place = () => dashboard.page.locator('[data-place=user]');
  /** Every line that is shown as added or removed stands in the file, or does not. */
  const shown = async () => {
    const lines = await dialog().getByRole('region').locator('div').evaluateAll((all) =>
      all.map((line) => ({ added: line.classList.contains('bg-good-soft'), removed: line.classList.contains('bg-bad-soft'), text: line.lastElementChild?.textContent ?? '' })),
    );
    return { added: lines.filter((line) => line.added), removed: lines.filter((line) => line.removed) };
  };

  beforeAll(async () => {
    mkdirSync(join(stage.gateway.home, '.claude'), { recursive: true });
    writeFileSync(file(), MINE);
    dashboard = await Dashboard.open(stage.browser, stage.gateway, {}, 'clients');
  });
  afterAll(() => dashboard?.close());

  it('is set up from the list: what is shown is what is done', async () => {
    const { page } = dashboard;
    await page.locator('[data-client=claude-code]').getByRole('button').click();
    await dashboard.button('plan.go', { count: 1 }).waitFor();
    expect(stands()).toBe(MINE);
    const { added } = await shown();
    expect(added.map((line) => line.text).join('\n')).toContain(stage.gateway.url);
    expect(await dialog().innerText()).not.toMatch(/cf_[A-Za-z0-9_-]{20}/);
    await dashboard.button('plan.go', { count: 1 }).click();
    await dialog().locator('[data-check]').first().waitFor();
    expect(await dashboard.barriers()).toEqual([]);
    const now = stands();
    expect(now).toContain('\t\t"EDITOR": "vim",');
    // But for the key, which is not shown.
    for (const { text } of added.filter((line) => !line.text.includes('AUTH_TOKEN'))) expect(now).toContain(text);
    await dashboard.button('plan.done').click();
    await page.locator('[data-client=claude-code]').getByText(dashboard.t('client.ours')).waitFor();
  });

  it('that was changed by another hand says so, is set up again, or is left so', async () => {
    const ours = stands();
    writeFileSync(file(), ours.replace(stage.gateway.url, 'https://elsewhere.example'));
    // It is seen by itself, from wherever one looks.
    await dashboard.go('overview');
    await dashboard.says(dashboard.t('overview.drifted', { name: 'Claude Code' }));
    await dashboard.page.getByRole('navigation').getByText(dashboard.t('clients.drifted', { count: 1 })).first().waitFor({ state: 'attached' });
    expect(await dashboard.barriers()).toEqual([]);
    await dashboard.page.getByRole('link', { name: dashboard.t('overview.drifted_look') }).click();
    await place().getByText(/elsewhere\.example/).first().waitFor();
    await dashboard.button('client.set_up_again').click();
    // While somebody looks, the file changes once more.
    await dashboard.button('plan.go', { count: 1 }).waitFor();
    writeFileSync(file(), ours.replace(stage.gateway.url, 'https://third.example'));
    await dashboard.button('plan.go', { count: 1 }).click();
    await dialog().getByText(dashboard.t('plan.anew')).waitFor();
    expect(stands()).toContain('https://third.example');
    expect((await shown()).removed.map((line) => line.text).join('\n')).toContain('https://third.example');
    await dashboard.button('plan.go', { count: 1 }).click();
    await dashboard.button('plan.done').click();
    await place().getByText(dashboard.t('client.ours')).waitFor();
    expect(stands()).toContain(stage.gateway.url);
    await dashboard.page.getByRole('navigation').getByText(dashboard.t('clients.drifted', { count: 1 })).waitFor({ state: 'detached' });
  });

  it('gives back what stood there when it was set up last, and any copy', async () => {
    await dashboard.button('client.undo').click();
    await dashboard.button('plan.go', { count: 1 }).waitFor();
    const { added } = await shown();
    expect(added.map((line) => line.text).join('\n')).toContain('https://third.example');
    await dashboard.button('plan.go', { count: 1 }).click();
    await dialog().getByText(dashboard.t('plan.reverted', { name: 'Claude Code' })).waitFor();
    await dashboard.button('plan.done').click();
    await place().getByText(dashboard.t('client.elsewhere')).waitFor();
    expect(stands()).not.toContain(stage.gateway.url);

    await dashboard.page.locator('[data-backup]').last().getByRole('button').click();
    await dashboard.button('backups.restore').waitFor();
    expect((await shown()).removed.map((line) => line.text).join('\n')).toContain('https://third.example');
    expect(stands()).not.toBe(MINE);
    await dashboard.button('backups.restore').click();
    await place().getByText(dashboard.t('client.clean')).waitFor();
    expect(stands()).toBe(MINE);
    expect(dashboard.wrong.filter((what) => !what.includes('409'))).toEqual([]);
  });
});
