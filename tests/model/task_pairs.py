"""Pairs of task titles as people type them for their agents: the same work twice, and other work that sounds alike.

Every third pair (`HELD_OUT`) was not looked at while the likeness was tuned: what it reaches there is what it is worth.
"""

from __future__ import annotations

_SAME = """
fix login redirect loop | users are stuck in a redirect loop after login, fix it
add dark mode | implement dark mode
rate limiting for the public api | add rate limits to public API
Refactor payment service into modules | split the payment service into modules
flaky upload test | make upload test less flaky
upgrade to Django 5.1 | bump django to 5.1
fix memory leak in worker pool | worker pool leaks memory
docs: how to configure SSO | write documentation for SSO configuration
remove deprecated v1 endpoints | delete the deprecated v1 endpoints
CSV export of invoices | export invoices as CSV
paginate /users endpoint | add pagination to the users endpoint
migrate from moment to date-fns | replace moment.js with date-fns
fix typo in README install section | README: typo in the install section
speed up the CI pipeline | CI pipeline is too slow, make it faster
dockerize the backend | add a Dockerfile for the backend
write unit tests for the tokenizer | tokenizer unit tests
null pointer in OrderController | fix NPE in OrderController
i18n for the checkout page | translate checkout page (i18n)
cleanup dead code in billing | remove dead code from billing
set up eslint and prettier | setup ESLint + Prettier
handle timeouts in webhook delivery | webhook delivery: handle timeouts
user avatars upload to S3 | upload user avatars to s3
password reset email not sent | fix: password reset emails are not being sent
convert class components to hooks | migrate React class components to hooks
add index on orders.created_at | missing db index on orders.created_at
implement OAuth login with Google | Google OAuth login
parse dates with timezone correctly | fix timezone parsing of dates
the sidebar overlaps content on mobile | mobile: sidebar overlaps the content
retry failed jobs with backoff | exponential backoff for retrying failed jobs
search autocomplete | add autocomplete to search
rename Customer to Client everywhere | rename Customer -> Client across the codebase
validate email adresses on signup | email address validation at signup
fix broken links in docs | docs: broken links
cache product lookups in redis | redis cache for product lookup
websocket reconnect after sleep | reconnect websocket when laptop wakes from sleep
log request ids in every service | add request id to the logs of each service
typescript strict mode | enable strict mode in TypeScript
drop support for python 3.8 | remove python 3.8 support
GraphQL schema for comments | define graphql schema for comments
fix race condition in cart update | race condition when updating the cart
health check endpoint | add /health endpoint for health checks
move secrets to vault | secrets should live in Vault, move them there
storybook for the button component | add Button component to Storybook
kubernetes liveness probe | add liveness probe in k8s
reduce bundle size | shrink the JS bundle size
onboarding tour for new users | build new user onboarding tour
fix 500 on empty search query | search: empty query gives 500
soft delete for projects | implement soft-deletion of projects
audit log for admin actions | admin action audit log
Update dependencies | dependency updates
stripe webhook signature verification | verify signatures of Stripe webhooks
improve error messages in the CLI | better CLI error messages
keyboard shortcuts for the editor | editor keyboard shortcuts
port build scripts to make | replace build scripts by a Makefile
fix N+1 queries on dashboard | dashboard has N+1 queries
add a --json flag to the list command | list command: --json output flag
rewrite date picker without jQuery | remove jQuery from the date picker
deploy staging with terraform | terraform for staging deployment
integration tests for checkout flow | write integration tests covering the checkout flow
sort table columns by clicking header | clickable headers to sort table columns
fix infinite scroll on feed | infinite scrolling in the feed is broken
notification settings page | build page for notification settings
add sentry error tracking | integrate Sentry for error tracking
compress images on upload | image compression during upload
fix CORS errors in local dev | CORS error when developing locally
split monolith settings file per environment | settings file: one per environment
graceful shutdown of the server | make server shut down gracefully
invalidate sessions on password change | log out all sessions when the password changes
fix date format in invoices pdf | invoice PDF has wrong date format
feature flags | introduce feature flags
change default branch from master to main | rename master branch to main
write changelog for 2.3 | changelog 2.3
fix deadlock in job queue | job queue deadlock
lazy load images in gallery | gallery: lazy loading of images
improve accessibility of the nav menu | nav menu accessibility (a11y)
add TOTP two-factor auth | two factor authentication with TOTP
reproduce and fix crash on startup | crash at startup
backup script for postgres | postgres backup script
metrics endpoint for prometheus | expose prometheus metrics endpoint
fix encoding of filenames in zip export | zip export: file name encoding broken
use connection pooling for the database | database connection pool
merge duplicate contacts | deduplicate contacts
extract shared types into package | shared types -> own package
implement undo/redo in canvas | undo and redo for the canvas
api docs with openapi | OpenAPI documentation for the API
fix failing tests on windows | tests fail on Windows
add loading spinner to submit button | submit button loading spinner
refresh tokens for the mobile app | mobile app: implement refresh tokens
convert config from yaml to toml | move config from YAML to TOML
prevent double submit of order form | order form can be submitted twice
review auth middleware | code review of the auth middleware
bulk import of users from csv | CSV bulk user import
markdown preview in the comment box | comment box: preview markdown
fix off by one in pager | pager off-by-one error
sanitize html in user comments | user comments: sanitise HTML
background sync for offline mode | offline mode background sync
remove unused css | delete unused CSS rules
upgrade node 18 -> 22 | node 22 upgrade
prefetch next page in reader | reader should prefetch the next page
restrict file types in uploader | uploader: allow only certain file types
fix layout shift on landing page | landing page layout shift
archive old projects automatically | auto-archive of old projects
generate sitemap.xml | sitemap.xml generation
typing for utils module | add type hints to utils module
stop logging passwords | passwords end up in the logs, stop that
investigate slow startup of the desktop app | why does the desktop app start so slowly
make the parser handle nested quotes | parser: nested quotes
show diff of config before apply | config diff before applying
admin can impersonate users | user impersonation for admins
fix wrong total in cart with coupons | cart total is wrong with coupon
use uuid for public ids | switch public ids to UUIDs
record demo video | demo video recording
end-to-end tests with playwright | playwright e2e tests
clean up temp files after test runs | test runs leave temp files behind, clean them up
debounce search input | search input debouncing
pin github actions to hashes | GitHub Actions: pin by hash
benchmark json serializers | compare speed of JSON serializers
fix emoji rendering in pdf | emojis not rendered in PDF
move to pnpm workspaces | migrate monorepo to pnpm workspaces
limit upload size to 10 MB | uploads: 10 MB size limit
add prev/next links to blog posts | blog posts: prev/next links
recieve webhooks from gitlab | receive GitLab webhooks
persist sort order in the url | keep sort order in URL
"""

_DIFFERENT = """
fix login | document login
fix login redirect loop | fix logout redirect
add dark mode | remove dark mode toggle
rate limiting for the public api | rate limit metrics dashboard
refactor payment service | refactor notification service
fix flaky upload test | speed up upload test
upgrade to Django 5.1 | upgrade to React 19
fix memory leak in worker pool | resize worker pool dynamically
docs: how to configure SSO | implement SSO
remove deprecated v1 endpoints | document v1 endpoints
CSV export of invoices | PDF export of invoices
paginate /users endpoint | paginate /orders endpoint
migrate from moment to date-fns | migrate from jest to vitest
fix typo in README install section | add badges to README
speed up the CI pipeline | speed up the test database
dockerize the backend | dockerize the frontend
write unit tests for the tokenizer | rewrite the tokenizer
null pointer in OrderController | rate limit in OrderController
i18n for the checkout page | redesign of the checkout page
cleanup dead code in billing | add coupons to billing
set up eslint | set up pre-commit
handle timeouts in webhook delivery | sign webhook deliveries
user avatars upload to S3 | user avatars in comments
password reset email not sent | welcome email not sent
convert class components to hooks | test coverage for hooks
add index on orders.created_at | add index on users.email
implement OAuth login with Google | implement OAuth login with GitHub
parse dates with timezone correctly | show dates in user's locale
the sidebar overlaps content on mobile | the footer overlaps content on mobile
retry failed jobs with backoff | show failed jobs in admin
search autocomplete | search ranking
rename Customer to Client | rename Order to Purchase
validate email addresses on signup | validate phone numbers on signup
fix broken links in docs | fix broken images in docs
cache product lookups in redis | cache sessions in redis
websocket reconnect after sleep | websocket authentication
log request ids in every service | log response times in every service
typescript strict mode | typescript path aliases
drop support for python 3.8 | add support for python 3.13
GraphQL schema for comments | GraphQL schema for users
fix race condition in cart update | fix race condition in inventory sync
health check endpoint | metrics endpoint
move secrets to vault | rotate secrets in vault
storybook for the button component | storybook for the modal component
kubernetes liveness probe | kubernetes autoscaling
reduce bundle size | reduce image size
onboarding tour for new users | onboarding emails for new users
fix 500 on empty search query | fix 500 on empty cart
soft delete for projects | archive for projects
audit log for admin actions | permissions for admin actions
update dependencies | update copyright year
stripe webhook signature verification | stripe refunds
improve error messages in the CLI | improve help texts in the CLI
keyboard shortcuts for the editor | syntax highlighting for the editor
port build scripts to make | port deploy scripts to make
fix N+1 queries on dashboard | fix chart colors on dashboard
add a --json flag to the list command | add a --limit flag to the list command
rewrite date picker without jQuery | add time zone to date picker
deploy staging with terraform | deploy production with terraform
integration tests for checkout flow | integration tests for signup flow
sort table columns by clicking header | resize table columns by dragging
fix infinite scroll on feed | add filters to feed
notification settings page | profile settings page
add sentry error tracking | add datadog tracing
compress images on upload | scan files for viruses on upload
fix CORS errors in local dev | fix CSRF errors in local dev
split settings file per environment | validate settings file on start
graceful shutdown of the server | hot reload of the server
invalidate sessions on password change | enforce password complexity
fix date format in invoices pdf | fix page numbers in invoices pdf
feature flags | feature requests page
change default branch to main | protect the main branch
write changelog for 2.3 | write changelog for 2.4
fix deadlock in job queue | add priorities to job queue
lazy load images in gallery | add captions to images in gallery
improve accessibility of the nav menu | improve accessibility of the forms
add TOTP two-factor auth | add passkey auth
crash on startup | crash on shutdown
backup script for postgres | backup script for mongodb
metrics endpoint for prometheus | alerts for prometheus
fix encoding of filenames in zip export | password protect zip export
connection pooling for the database | read replica for the database
merge duplicate contacts | import contacts from google
extract shared types into package | publish package to npm
implement undo/redo in canvas | implement zoom in canvas
api docs with openapi | api client from openapi
fix failing tests on windows | fix installer on windows
add loading spinner to submit button | change color of submit button
refresh tokens for the mobile app | push notifications for the mobile app
convert config from yaml to toml | encrypt config values
prevent double submit of order form | autosave of order form
review auth middleware | rewrite auth middleware
bulk import of users from csv | bulk delete of users
markdown preview in the comment box | mentions in the comment box
fix off by one in pager | style the pager
sanitize html in user comments | threaded user comments
background sync for offline mode | conflict resolution for offline mode
remove unused css | minify css
upgrade node 18 -> 22 | upgrade postgres 14 -> 16
prefetch next page in reader | night theme in reader
restrict file types in uploader | progress bar in uploader
fix layout shift on landing page | new hero image on landing page
archive old projects automatically | restore archived projects
generate sitemap.xml | generate robots.txt
typing for utils module | tests for utils module
stop logging passwords | hash passwords with argon2
slow startup of the desktop app | auto update of the desktop app
make the parser handle nested quotes | make the parser handle comments
show diff of config before apply | show config path in help
admin can impersonate users | admin can delete users
fix wrong total in cart with coupons | fix wrong tax in cart
use uuid for public ids | use slugs in public urls
record demo video | write demo script
end-to-end tests with playwright | visual regression tests with playwright
clean up temp files after test runs | parallel test runs
debounce search input | clear button for search input
pin github actions to hashes | cache node_modules in github actions
benchmark json serializers | replace json serializer
fix emoji rendering in pdf | fix table rendering in pdf
move to pnpm workspaces | publish workspaces to registry
limit upload size to 10 MB | limit upload rate per user
add prev/next links to blog posts | add tags to blog posts
receive webhooks from gitlab | receive emails from customers
persist sort order in the url | default sort order in settings
fix review findings in module 3 | fix review findings in module 4
write tests for phase 2 | write tests for phase 3
"""


def _pairs(text: str) -> list[tuple[str, str]]:
    found = [line.partition(" | ") for line in text.strip().splitlines()]
    return [(one, other) for one, _, other in found]


SAME, DIFFERENT = _pairs(_SAME), _pairs(_DIFFERENT)


def tuned(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for number, pair in enumerate(pairs) if number % 3 != 2]


def held_out(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return pairs[2::3]
