// A browser: there is no shell to ask. Whoever calls what only a shell can do has not looked at `inShell`.

import type { Platform } from './index';

const nobody = () => Promise.reject(new Error('only the desktop app can do this'));

export const platform: Platform = {
  shellState: nobody,
  onShellState: nobody,
  startGateway: nobody,
  stopGateway: nobody,
  renewSession: nobody,
  setPort: nobody,
  setDemo: nobody,
  openSignIn: nobody,
  signInInBrowser: nobody,
  onSignInInBrowser: nobody,
  openExternal: (url) => {
    window.open(url, '_blank', 'noopener,noreferrer');
    return Promise.resolve();
  },
  reveal: nobody,
  autostart: nobody,
  setAutostart: nobody,
  shortcuts: nobody,
  onShortcuts: nobody,
  updateState: nobody,
  checkUpdate: nobody,
  installUpdate: nobody,
  onUpdate: nobody,
  quit: nobody,
};
