// Returns the texts of a page that stand out from their ground by less than WCAG 2.2, 1.4.3 asks.
() => {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const over = ([red, green, blue, opacity = 1], ground) =>
    [red, green, blue].map((value, i) => value * opacity + ground[i] * (1 - opacity));
  const light = (colour) => {
    const [red, green, blue] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    const own = numbers(getComputedStyle(element).backgroundColor);
    return own[3] === undefined ? own : over(own, ground(element.parentElement));
  };
  const ratio = (element) => {
    const below = ground(element);
    const shades = [light(over(numbers(getComputedStyle(element).color), below)), light(below)];
    return (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
  };
  const isLarge = ({ fontSize, fontWeight }) =>
    parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
  const isShown = (element) =>
    element.getBoundingClientRect().width > 0 && !element.closest("script, style, template, noscript");

  const faint = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim();
    const element = texts.currentNode.parentElement;
    if (!text || !isShown(element)) continue;
    const found = ratio(element);
    if (found < (isLarge(getComputedStyle(element)) ? 3 : 4.5)) faint.add(`${text.slice(0, 40)}: ${found.toFixed(2)}`);
  }
  return [...faint];
};
