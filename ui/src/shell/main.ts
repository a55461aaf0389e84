import { mount } from 'svelte';
import '../app.css';
import { locale, ready } from '../i18n';
import { bring } from '../i18n/said.svelte';
import { inShell } from '../platform';
import Shell from './Shell.svelte';

document.documentElement.lang = locale;

const target = document.getElementById('app');
void ready().then(() => target && mount(Shell, { target }));
// What the gateway says is not on every first screen, so nobody waits for it.
void bring('gateway');
if (inShell) void bring('desktop');
