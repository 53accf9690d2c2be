"""What the page of the report does: it filters, remembers the filter in its address, and listens to keys."""

SCRIPT = """
(() => {
  'use strict';
  const findings = [...document.querySelectorAll('.finding')];
  const form = document.querySelector('.filter');
  document.documentElement.classList.add('alive');
  if (!form) return;
  form.hidden = false;
  const words = form.querySelector('#words'), rule = form.querySelector('#rule'), all = form.querySelector('#all');
  const levels = [...form.querySelectorAll('[name=level]')];
  const shown = form.querySelector('#shown'), none = document.querySelector('#none');
  const files = [...document.querySelectorAll('.file')];
  const visible = () => findings.filter(finding => !finding.hidden);

  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const on = new Set(levels.filter(box => box.checked).map(box => box.value));
    let count = 0;
    for (const finding of findings) {
      const { level, rule: id, words: text } = finding.dataset;
      const named = !rule.value || rule.value === id;
      finding.hidden = !(on.has(level) && named && wanted.every(word => text.includes(word)));
      count += !finding.hidden;
    }
    for (const file of files) file.hidden = !file.querySelector('.finding:not([hidden])');
    none.hidden = count > 0;
    shown.textContent = count === findings.length ? '' : `${count} of ${findings.length}`;
    opened();
  };

  const opened = () => {
    const some = visible();
    const every = some.length > 0 && some.every(finding => finding.open);
    all.setAttribute('aria-pressed', every);
    all.textContent = every ? 'Close all' : 'Open all';
  };

  const remember = () => {
    const state = new URLSearchParams();
    if (words.value) state.set('q', words.value);
    if (rule.value) state.set('rule', rule.value);
    const off = levels.filter(box => !box.checked).map(box => box.value);
    if (off.length) state.set('without', off.join(','));
    const hash = state.toString();
    history.replaceState(null, '', hash ? '#' + hash : location.pathname + location.search);
  };

  const recall = () => {
    const named = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (named) {
      if (named.classList.contains('finding')) {
        if (named.hidden) clear();
        named.open = true;
        named.scrollIntoView();
      }
      return;
    }
    const state = new URLSearchParams(location.hash.slice(1)), off = (state.get('without') || '').split(',');
    words.value = state.get('q') || '';
    rule.value = state.get('rule') || '';
    if (rule.selectedIndex < 0) rule.value = '';
    for (const box of levels) box.checked = !off.includes(box.value);
    apply();
  };

  const clear = () => {
    words.value = rule.value = '';
    for (const box of levels) box.checked = true;
    apply();
  };

  const toggle = () => {
    const open = all.getAttribute('aria-pressed') !== 'true';
    for (const finding of visible()) finding.open = open;
    opened();
  };

  const step = by => {
    const some = visible();
    if (!some.length) return;
    const at = some.findIndex(finding => finding.contains(document.activeElement));
    const next = at < 0 ? (by > 0 ? 0 : some.length - 1) : Math.min(some.length - 1, Math.max(0, at + by));
    some[next].querySelector('summary').focus({ preventScroll: true });
    some[next].scrollIntoView({ block: 'nearest' });
  };

  form.addEventListener('input', () => { apply(); remember(); });
  form.addEventListener('submit', event => event.preventDefault());
  all.addEventListener('click', toggle);
  addEventListener('toggle', opened, true);
  addEventListener('hashchange', recall);
  addEventListener('beforeprint', () => { for (const finding of visible()) finding.open = true; });
  addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') { clear(); remember(); document.activeElement.blur(); return; }
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== 'checkbox') return;
    const act = { '/': () => words.focus(), j: () => step(1), k: () => step(-1), o: toggle }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  recall();
  opened();
})();
"""
