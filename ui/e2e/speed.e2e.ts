// How soon the first screen is there, and what a busy gateway costs the page. The figures are printed; what is asserted here
// leaves room for a machine that does other things. `npm run soak` takes a minute for each screen and holds it to the budget.

import { expect, it } from 'vitest';
import { onStage } from './support/stage';
import { Storm } from './support/storm';

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
});
