// What time it is, for what is shown as "5 minutes ago". Ticks only while somebody can see it.

class Clock {
  /** To the half minute. */
  now = $state(Date.now());
  #timer: ReturnType<typeof setInterval> | undefined;

  start(): void {
    const follow = () => {
      clearInterval(this.#timer);
      if (document.visibilityState !== 'visible') return;
      this.now = Date.now();
      this.#timer = setInterval(() => (this.now = Date.now()), 30_000);
    };
    document.addEventListener('visibilitychange', follow);
    follow();
  }
}

export const clock = new Clock();
