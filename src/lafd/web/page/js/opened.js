// Runs where modules do not: says why the page stays empty when it is opened as a file or in an old browser.

const notice = document.getElementById('notice');
const reason =
  location.protocol === 'file:'
    ? 'Browsers do not run this page from a file. Run "lafd web", or put the folder on a web server.'
    : typeof OffscreenCanvas === 'undefined' || typeof DecompressionStream === 'undefined'
      ? 'This browser is too old for this page. Chrome 123, Firefox 120 and Safari 17.5 or later are fine.'
      : null;
if (reason) {
  notice.querySelector('p').textContent = reason;
  notice.hidden = false;
}
