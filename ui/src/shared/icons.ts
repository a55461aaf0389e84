// Line icons on a grid of 16, one weight of line. Each is the inside of an <svg>.

export const ICONS = {
  overview: 'M2.5 9.5v4h4v-4zM2.5 2.5v4h4v-4zM9.5 2.5v4h4v-4zM9.5 9.5v4h4v-4z',
  accounts: 'M8 8a2.75 2.75 0 1 0 0-5.5A2.75 2.75 0 0 0 8 8zM2.75 13.5c.4-2.4 2.5-3.5 5.25-3.5s4.85 1.1 5.25 3.5',
  usage: 'M2.5 13.5h11M4.5 11V8M8 11V3M11.5 11V6',
  models: 'M2.5 4h3.5c3 0 2.5 8 5 8h2M2.5 12H6c1 0 1.6-.9 2-2M13.5 4H11c-1 0-1.6.9-2 2M11.75 10.25L13.5 12l-1.75 1.75',
  playground: 'M6 2.5h4M6.75 2.5v4L3 12.25c-.4.7 0 1.25.75 1.25h8.5c.75 0 1.15-.55.75-1.25L9.25 6.5v-4M5 10h6',
  clients: 'M2.5 3.5h11v9h-11zM5 6.5l2 1.75-2 1.75M8.5 10.25H11',
  settings: 'M2.5 4.5h5M11.5 4.5h2M2.5 11.5h2M8.5 11.5h5M9.5 6.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM6.5 13.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  check: 'M3 8.5l3.25 3.25L13 5',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  plus: 'M8 3v10M3 8h10',
  alert: 'M8 2.5l6 10.75H2zM8 6.5v3.25M8 11.5v.01',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5v3.25M8 5.25v.01',
  close: 'M4 4l8 8M12 4l-8 8',
  stop: 'M4.5 4.5h7v7h-7z',
  download: 'M8 2.5v7.5M4.75 7L8 10.25 11.25 7M2.5 13.5h11',
  undo: 'M5.5 3L2.5 6l3 3M2.5 6H10a3.5 3.5 0 0 1 0 7H7',
  chart: 'M2.5 2.5v11h11M5 10l2.5-3 2 2L13 5',
  table: 'M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.25v9.5L12.5 8z',
  arrow: 'M3 8h10M9.5 4.5L13 8l-3.5 3.5',
  external: 'M6.5 3.5h-3v9h9v-3M9.5 2.5h4v4M13 3L7.5 8.5',
  refresh: 'M13.25 8a5.25 5.25 0 1 1-1.6-3.75M13.5 2v3h-3',
  key: 'M9.5 9.5a3.5 3.5 0 1 0-3.3-2.3L2.5 11v2.5H5L5 12h1.5v-1.5H8l.8-.9M10.75 5.25v.01',
} as const;

export type IconName = keyof typeof ICONS;
