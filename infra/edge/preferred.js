// The one of our two languages that somebody reads: what the address asks for, else what the browser likes best; '' when
// neither names one of them. As the functions read it (`preferred_language` in shared/src/http.rs); a test compares both.

function known(tag) {
  var short = tag.trim().toLowerCase().split('-')[0];
  return short === 'fr' || short === 'en' ? short : '';
}

function preferred(request) {
  var asked = request.querystring && request.querystring.lang;
  if (asked && known(asked.value)) return known(asked.value);
  var header = request.headers['accept-language'];
  var best = '';
  var most = 0;
  (header ? header.value : '').split(',').forEach(function (range) {
    var parts = range.split(';');
    var weight = /^\s*q\s*=\s*([0-9.]+)\s*$/i.exec(parts[1] || '');
    var quality = weight ? Number(weight[1]) : 1;
    if (known(parts[0]) && quality > most) {
      best = known(parts[0]);
      most = quality;
    }
  });
  return best;
}
