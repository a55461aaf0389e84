// One attempt to sign in, from the choice to its end. The gateway does it; this keeps what the person needs to see.

import { beginSignIn, cancelSignIn, pasteSignIn, problemOf, signInStage, type Problem } from '../api/client';
import type { BeginSignIn, SignInBegun, SignInStage } from '../api/types';
import { inShell, platform } from '../platform';
import { live } from './live.svelte';

/** Where the page of the attempt was opened. */
export type Place = 'window' | 'browser' | 'device';

export class SignIn {
  /** The person is choosing, or has chosen. */
  shown = $state(false);
  begun = $state.raw<SignInBegun | null>(null);
  place = $state<Place>('browser');
  beginning = $state(false);
  /** Why it could not be begun, or what was pasted cannot be used. */
  problem = $state.raw<Problem | null>(null);
  /** The account that signs in again. */
  again = $state.raw<string | null>(null);
  #wish: BeginSignIn | null = null;
  #hears = false;
  /** What the answer to a paste said, should the stream be slow. */
  #answered = $state.raw<SignInStage | null>(null);

  /** Where it stands; `null` before it was begun. */
  get stage(): SignInStage | null {
    if (this.begun === null) return null;
    const id = this.begun.id;
    return this.#answered ?? live.signIns.find((told) => told.id === id) ?? { state: 'waiting' };
  }

  show(again: string | null = null): void {
    this.#forget();
    this.again = again;
    this.shown = true;
  }

  /** Begins, and opens the page where a person can sign in. */
  async begin(kind: 'plan' | 'codex', method: 'browser' | 'device'): Promise<void> {
    this.#wish = { kind, method, ...(this.again === null ? {} : { account: this.again }) };
    await this.#begin(this.#wish);
  }

  async retry(): Promise<void> {
    if (this.#wish !== null) await this.#begin(this.#wish);
  }

  async #begin(wish: BeginSignIn): Promise<void> {
    this.#forget();
    this.shown = true;
    this.beginning = true;
    try {
      const begun = await beginSignIn(wish);
      this.place = wish.method === 'device' ? 'device' : inShell ? 'window' : 'browser';
      this.begun = begun;
      if (this.place === 'window') {
        this.#hear();
        this.place = await platform.openSignIn(begun.id);
      }
      // A browser may refuse a window that opens by itself. The link is shown as well.
      else if (this.place === 'browser') await platform.openExternal(begun.url);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.beginning = false;
    }
  }

  /** The same page in the person's own browser: some identity providers refuse any other window. */
  async useBrowser(): Promise<void> {
    if (this.begun === null) return;
    this.problem = null;
    try {
      if (inShell) await platform.signInInBrowser(this.begun.id);
      else await platform.openExternal(this.begun.url);
      this.place = 'browser';
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What the person pasted: the address at which the browser ended, or its code. */
  async paste(text: string): Promise<void> {
    if (this.begun === null) return;
    this.problem = null;
    try {
      const stage = await pasteSignIn(this.begun.id, text.trim());
      this.#answered = stage.state === 'waiting' || stage.state === 'exchanging' ? null : stage;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Closes; an attempt that still waits is given up. */
  async close(): Promise<void> {
    const { begun, stage } = this;
    this.shown = false;
    this.#forget();
    if (begun === null || stage === null || (stage.state !== 'waiting' && stage.state !== 'exchanging')) return;
    // One that just ended has nothing to be given up.
    await cancelSignIn(begun.id).catch(() => {});
  }

  /** Asks where it stands, for who was away for a while. */
  async refresh(): Promise<void> {
    if (this.begun === null) return;
    const id = this.begun.id;
    const stage = await signInStage(id).catch(() => null);
    if (stage !== null && this.begun?.id === id && stage.state !== 'waiting') this.#answered = stage;
  }

  /** The window has a way to the browser, too. Nothing is lost if that is not heard: this page has one as well. */
  #hear(): void {
    if (this.#hears) return;
    this.#hears = true;
    const tell = (id: string) => {
      if (id === this.begun?.id) this.place = 'browser';
    };
    platform.onSignInInBrowser(tell).catch(() => {});
  }

  #fail(error: unknown): void {
    this.problem = problemOf(error);
  }

  #forget(): void {
    this.begun = null;
    this.problem = null;
    this.#answered = null;
  }
}

export const signIn = new SignIn();
