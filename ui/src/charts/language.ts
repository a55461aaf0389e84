// uPlot takes it for granted, as soon as it is read, that the browser tells a language. WebKit on Linux tells the name of
// the locale, and "C" is none. This stands before uPlot wherever that is imported.

/** Gives the teller a language that is one, if it has none. */
export function mended<T extends { readonly language: string }>(teller: T): T {
  try {
    Intl.getCanonicalLocales(teller.language);
  } catch {
    Object.defineProperty(teller, 'language', { value: 'en', configurable: true });
  }
  return teller;
}

if (typeof navigator !== 'undefined') mended(navigator);
