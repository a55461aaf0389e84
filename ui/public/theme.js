// Before the first paint, so that a chosen appearance or language does not flash by. No module: those wait for the page.
(() => {
  try {
    const root = document.documentElement;
    const theme = localStorage.getItem('codeferry.theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  } catch {
    // Storage is closed to us: then the system decides.
  }
})();
