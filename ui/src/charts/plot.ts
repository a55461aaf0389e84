// uPlot, as we use it: one place for each slot, bars or a line, colours from the tokens.

import './language';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { labelled, stacked } from './stack';

export type Colour = 'a' | 'b' | 'c';

export interface Series {
  name: string;
  colour: Colour;
  values: (number | null)[];
}

export interface Drawing {
  kind: 'bars' | 'line';
  series: Series[];
  /** Short names of the slots, for the bottom. */
  ticks: string[];
  format: (value: number) => string;
  /** The slot that is looked at. */
  onpoint: (slot: number | null) => void;
}

type Inks = Record<Colour | 'line' | 'muted', string> & { font: string };

/** The tokens as a canvas understands them: it knows neither variables nor `light-dark()`. */
function inks(within: HTMLElement): Inks {
  const probe = within.appendChild(document.createElement('span'));
  // Else it would be on its way from one colour to the next when it is asked.
  probe.style.transitionProperty = 'none';
  const of = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const font = getComputedStyle(within).fontFamily;
  const found = { a: of('chart-a'), b: of('chart-b'), c: of('chart-c'), line: of('line'), muted: of('muted') };
  probe.remove();
  return { ...found, font: `11px ${font}` };
}

/** Calls when the theme changes: by the system or by choice. */
function onTheme(tell: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const chosen = new MutationObserver(tell);
  system.addEventListener('change', tell);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return () => {
    system.removeEventListener('change', tell);
    chosen.disconnect();
  };
}

export class Plot {
  readonly #plot: uPlot;
  readonly #ends: (() => void)[] = [];
  #inks: Inks;

  #drawing: Drawing;

  constructor(
    readonly within: HTMLElement,
    drawing: Drawing,
  ) {
    this.#drawing = drawing;
    this.#inks = inks(within);
    const { width, height } = this.#size();
    this.#plot = new uPlot({ width, height, ...this.#options() }, this.#data(), within);
    this.#ends.push(
      onTheme(() => {
        this.#inks = inks(within);
        this.#plot.redraw(false, true);
      }),
    );
    // The first size is told at once, and is the one that was drawn.
    const resized = new ResizeObserver(() => {
      const size = this.#size();
      if (size.width !== this.#plot.width || size.height !== this.#plot.height) this.#plot.setSize(size);
    });
    resized.observe(within);
    this.#ends.push(() => resized.disconnect());
  }

  /** Shows other figures of the same kind, and goes on showing what is looked at. */
  update(drawing: Drawing): void {
    this.#drawing = drawing;
    this.#plot.setData(this.#data());
  }

  /** Shows a slot, as the mouse does. */
  point(slot: number | null): void {
    const left = slot === null ? -10 : this.#plot.valToPos(slot, 'x');
    this.#plot.setCursor({ left, top: slot === null ? -10 : 0 }, false);
  }

  end(): void {
    this.#ends.forEach((end) => end());
    this.#plot.destroy();
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(120, this.within.clientWidth), height: Math.max(80, this.within.clientHeight) };
  }

  #data(): uPlot.AlignedData {
    const { series, kind, ticks } = this.#drawing;
    const values = series.map((one) => one.values);
    // The sum of all is drawn first, and the others over it.
    const drawn = kind === 'bars' ? stacked(values).reverse() : values;
    return [ticks.map((_, at) => at), ...drawn] as uPlot.AlignedData;
  }

  #options(): Omit<uPlot.Options, 'width' | 'height'> {
    const { series, kind } = this.#drawing;
    // Asked for each time: there may be other figures by then.
    const ticks = () => this.#drawing.ticks;
    // The sum is drawn first and ends round; what lies over it meets it in a straight line.
    const bars = (radius: number) => uPlot.paths.bars?.({ size: [0.72, 28], radius: [radius, 0] });
    const [outer, inner] = [bars(0.1), bars(0)];
    const line = uPlot.paths.linear?.();
    const shaped = (at: number) => {
      const paths = kind === 'line' ? line : at === 0 ? outer : inner;
      return paths === undefined ? {} : { paths };
    };
    const drawn = kind === 'bars' ? [...series].reverse() : series;
    const muted = () => this.#inks.muted;
    return {
      legend: { show: false },
      padding: [8, 14, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { show: kind === 'line' } },
      scales: {
        x: { time: false, range: () => [-0.5, Math.max(0.5, ticks().length - 0.5)] },
        y: { range: (_, __, highest) => [0, highest > 0 ? highest * 1.08 : 1] },
      },
      axes: [
        {
          stroke: muted,
          font: this.#inks.font,
          size: 26,
          gap: 4,
          grid: { show: false },
          ticks: { show: false },
          splits: (plot) => labelled(ticks().length, plot.bbox.width / devicePixelRatio, 58),
          values: (_, splits) => splits.map((at) => ticks()[at] ?? ''),
        },
        {
          stroke: muted,
          font: this.#inks.font,
          size: 56,
          gap: 4,
          space: 36,
          grid: { stroke: () => this.#inks.line, width: 1 },
          ticks: { show: false },
          values: (_, splits) => splits.map((value) => this.#drawing.format(value)),
        },
      ],
      series: [
        {},
        ...drawn.map((one, at) => ({
          label: one.name,
          ...shaped(at),
          points: { show: kind === 'line', size: 5, fill: () => this.#inks[one.colour] },
          width: kind === 'line' ? 1.5 : 0,
          spanGaps: true,
          stroke: () => this.#inks[one.colour],
          ...(kind === 'bars' ? { fill: () => this.#inks[one.colour] } : {}),
        })),
      ],
      hooks: { setCursor: [(plot) => this.#drawing.onpoint(plot.cursor.idx ?? null)] },
    };
  }
}
