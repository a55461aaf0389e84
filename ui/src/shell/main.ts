import { mount } from 'svelte';
import '../app.css';
import { locale } from '../i18n';
import Shell from './Shell.svelte';

document.documentElement.lang = locale;

const target = document.getElementById('app');
if (target) mount(Shell, { target });
