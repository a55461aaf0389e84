import { mount } from 'svelte';
import '../app.css';
import { locale, ready } from '../i18n';
import Shell from './Shell.svelte';

document.documentElement.lang = locale;

const target = document.getElementById('app');
void ready().then(() => target && mount(Shell, { target }));
