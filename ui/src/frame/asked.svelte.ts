// What was asked for over the page: the palette, or what the keys are.

class Asked {
  for = $state<'palette' | 'help' | null>(null);
}

export const asked = new Asked();
