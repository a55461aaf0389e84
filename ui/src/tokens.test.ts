// The colours of app.css against one another: WCAG 2.2, 1.4.3 and 1.4.11.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('./app.css', import.meta.url), 'utf8');
const tokens = Object.fromEntries(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [name, { light, dark }]),
) as Record<string, { light: string; dark: string }>;

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ['canvas', 'surface', 'raised', 'sunken'];

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  const of = (name: string) => tokens[name]?.[theme] ?? `no token ${name}`;
  const pairs = (inks: string[], grounds: string[]) => inks.flatMap((ink) => grounds.map((ground) => [ink, ground] as const));

  it.each([
    ...pairs(['ink', 'muted', 'accent'], GROUNDS),
    ...pairs(['good', 'warn', 'bad'], ['canvas', 'surface', 'raised']),
    ...pairs(['ink', 'muted'], ['accent-soft', 'good-soft', 'warn-soft', 'bad-soft']),
    ['on-accent', 'accent'] as const,
    ['on-accent', 'bad'] as const,
  ])('text in %s can be read on %s', (ink, ground) => {
    expect(contrast(of(ink), of(ground))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(pairs(['chart-a', 'chart-b', 'chart-c'], ['surface']))('a bar in %s is seen on %s', (ink, ground) => {
    expect(contrast(of(ink), of(ground))).toBeGreaterThanOrEqual(3);
  });

  it.each(pairs(['accent', 'good', 'warn', 'bad'], ['sunken', 'surface']))('a mark in %s is seen on %s', (ink, ground) => {
    expect(contrast(of(ink), of(ground))).toBeGreaterThanOrEqual(3);
  });
});
