// How soon the first screen is there, and what a busy gateway costs the page. The figures are printed; what is asserted here
// leaves room for a machine that does other things. `npm run soak` takes a minute for each screen and holds it to the budget.

import { expect, it } from 'vitest';
import { Gateway } from './support/gateway';
import { Dashboard } from './support/page';
import { onStage } from './support/stage';
import { Storm } from './support/storm';
import { python } from './support/tools';

/** Until the first screen can be used, in milliseconds. */
const SOON = 300;
const EVENTS_PER_SECOND = 200;
/** Of one core. */
const SHARE = 0.3;
const soak = Number(process.env.CODEFERRY_SOAK_SECONDS ?? 0);
const seconds = soak > 0 ? soak : 5;
/** How much worse a busy machine may be. */
const room = soak > 0 ? 1 : 2.5;
const MIB = 1024 * 1024;
/** Rows of the log that are scrolled through. */
const ROWS = soak > 0 ? 100_000 : 5_000;
/** So long may a step of four screens take until it is drawn, in milliseconds, but for one in twenty. */
const STEP = 100;

onStage('the budget', (stage) => {
  it('of time: the first screen', async () => {
    const dashboard = await stage.open();
    const { page } = dashboard;
    await page.addInitScript(() => {
      const there = new MutationObserver(() => {
        if (document.querySelector('main h1, main h2') === null) return;
        there.disconnect();
        // Drawn, and free to listen.
        requestAnimationFrame(() => setTimeout(() => Object.assign(window, { usableAfter: performance.now() })));
      });
      there.observe(document, { childList: true, subtree: true });
    });
    const took: number[] = [];
    for (let visit = 0; visit < 7; visit += 1) {
      await page.goto('about:blank');
      await page.goto(`${stage.gateway.url}/`);
      const after = await page.waitForFunction(() => (window as unknown as { usableAfter?: number }).usableAfter);
      took.push(Number(await after.jsonValue()));
    }
    took.sort((a, b) => a - b);
    console.log(`The first screen can be used after ${took.map((one) => one.toFixed(0)).join(', ')} ms; allowed are ${SOON}.`);
    expect(took[0]).toBeLessThan(SOON * room);
  });

  it.each(['overview', 'requests'])(`of work and memory: ${EVENTS_PER_SECOND} events a second, %s`, async (screen) => {
    const storm = await Storm.before(stage.gateway.url, EVENTS_PER_SECOND);
    const dashboard = await stage.open(screen, { motion: true, at: storm.url });
    const session = await dashboard.context.newCDPSession(dashboard.page);
    await session.send('Performance.enable', { timeDomain: 'timeTicks' });
    const measure = async () => {
      await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      const metric = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
      return { busy: metric('TaskDuration'), heap: metric('JSHeapUsedSize'), nodes: metric('Nodes'), at: performance.now(), told: storm.told };
    };
    const wait = (time: number) => new Promise((resolve) => setTimeout(resolve, time * 1000));
    // Lists are full then, and lanes are drawn.
    await wait(soak > 0 ? 25 : 3);
    const before = await measure();
    await wait(seconds);
    const after = await measure();
    const time = (after.at - before.at) / 1000;
    const share = (after.busy - before.busy) / time;
    const grown = (after.heap - before.heap) / MIB;
    console.log(
      `${screen}: ${((after.told - before.told) / time).toFixed(0)} events a second, ${(share * 100).toFixed(1)} % of a core, ` +
        `heap ${(before.heap / MIB).toFixed(1)} → ${(after.heap / MIB).toFixed(1)} MiB, ${before.nodes} → ${after.nodes} nodes, in ${time.toFixed(0)} s`,
    );
    expect(after.told - before.told).toBeGreaterThan(EVENTS_PER_SECOND * time * 0.7);
    expect(share).toBeLessThan(SHARE * room);
    expect(grown).toBeLessThan(soak > 0 ? 3 : 6);
    expect(after.nodes).toBeLessThan(before.nodes * 1.5 + 500);
    await stage.closeAll();
    await storm.stop();
  });

  it.skipIf(python() === null)(`of a long log: ${ROWS} rows from the newest to the oldest`, { timeout: 300_000 }, async () => {
    const gateway = await Gateway.start();
    await gateway.remember(ROWS);
    const dashboard = await Dashboard.open(stage.browser, gateway);
    const { page } = dashboard;
    const session = await dashboard.context.newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'timeTicks' });
    const measure = async () => {
      await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      const metric = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
      return { busy: metric('TaskDuration'), heap: metric('JSHeapUsedSize') / MIB, nodes: metric('Nodes') };
    };
    const asked = performance.now();
    await dashboard.go('requests');
    await page.locator('[role=grid] [role=row] >> nth=20').waitFor();
    const first = performance.now() - asked;
    const before = await measure();
    const begun = performance.now();
    // As a hand does it that pulls: a screen further with each picture, and on as soon as there is more.
    const { steps, screens, came } = await page.evaluate(async (rows) => {
      const grid = document.querySelector('[role=grid]');
      const steps: number[] = [];
      let [screens, still] = [0, 0];
      const oldest = () => [...(grid?.querySelectorAll('[role=row]') ?? [])].some((row) => Number(row.getAttribute('aria-rowindex')) >= rows);
      while (grid !== null && !oldest() && still < 600) {
        const at = grid.scrollTop;
        const started = performance.now();
        grid.scrollTop = at + grid.clientHeight * 4;
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        steps.push(performance.now() - started);
        still = grid.scrollTop === at ? still + 1 : 0;
        screens += 1;
      }
      return { steps, screens, came: oldest() };
    }, ROWS);
    const took = (performance.now() - begun) / 1000;
    const after = await measure();
    steps.sort((a, b) => a - b);
    const usual = steps[Math.floor(steps.length * 0.95)] ?? 0;
    console.log(
      `${ROWS} rows: the first after ${first.toFixed(0)} ms, the last after ${took.toFixed(1)} s and ${screens} steps, 95 of 100 within ${usual.toFixed(0)} ms, ` +
        `the page busy for ${(after.busy - before.busy).toFixed(1)} s, heap ${before.heap.toFixed(1)} → ${after.heap.toFixed(1)} MiB, ${before.nodes} → ${after.nodes} nodes`,
    );
    expect(came, 'it came to the end').toBe(true);
    expect(usual).toBeLessThan(STEP * room);
    // What is behind is let go: some thousands of rows are held, however many there are.
    expect(after.heap - before.heap).toBeLessThan(12);
    expect(after.nodes).toBeLessThan(before.nodes * 2 + 1_000);
    await dashboard.close();
    await gateway.stop();
  });
});
