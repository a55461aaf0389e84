import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import { locale, ready } from './i18n';
import { bring } from './i18n/said.svelte';
import { inShell } from './platform';
import { router } from './router.svelte';
import { clock } from './state/clock.svelte';
import { live } from './state/live.svelte';

document.documentElement.lang = locale;
router.start();
clock.start();
live.start();

const target = document.getElementById('app');
void ready().then(() => target && mount(App, { target }));
// What the gateway says is not on every first screen, so nobody waits for it.
void bring('gateway');
if (inShell) void bring('desktop');
