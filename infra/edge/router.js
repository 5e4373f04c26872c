// CloudFront Function before the site's files: `/booking/success` is `booking/success.html`. What is not there is answered
// here, so that a missing page is a 404 and an API's 404 stays the API's. Who reads English gets the page beneath `en/` where
// there is one. Terraform fills in the list and the headers, and puts preferred.js before it.

var files = ${files};
var headers = ${headers};
var missingPages = ${missing_pages};

function handler(event) {
  var request = event.request;
  var path = request.uri.split('/').filter(Boolean).join('/');
  // The artists' images are in a bucket of their own, which no list here can know.
  if (path.indexOf('images/') === 0) return request;
  var found = (path === '' ? ['index.html'] : [path, path + '.html', path + '/index.html']).filter(function (candidate) {
    return files.indexOf(candidate) >= 0;
  })[0];
  var language = preferred(request) || 'fr';
  if (found) {
    request.uri = '/' + (language === 'en' && files.indexOf('en/' + found) >= 0 ? 'en/' : '') + found;
    return request;
  }
  var api = path === 'api' || path.indexOf('api/') === 0;
  var answer = { statusCode: 404, statusDescription: 'Not Found', headers: {} };
  var added = api ? headers.api : headers.site;
  for (var name in added) answer.headers[name] = { value: added[name] };
  answer.headers['cache-control'] = { value: 'no-store' };
  answer.headers['content-type'] = { value: api ? 'application/problem+json' : 'text/html; charset=utf-8' };
  answer.body = api ? '{"type":"about:blank","title":"Not Found","status":404}' : missingPages[language];
  return answer;
}
