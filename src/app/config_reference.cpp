#include "app/config.hpp"
#include "app/config_keys.hpp"

#include <string>

namespace entrepot {
namespace {

constexpr std::string_view preface = R"(# Configuration

<!-- Printed by `entrepot check-config --print-reference`; a test compares. Change the tables in src/app/. -->

`entrepot serve --config FILE` reads one YAML file; none is picked up by itself. What is set on the command line counts
over the environment, that over the file, and that over the default. An unknown key or variable, a key set twice and a
value of the wrong kind or out of range are errors that name the place; `entrepot check-config --config FILE` tells
them without starting anything.

| kind | written as |
|---|---|
| duration | whole numbers with a unit of `s`, `m`, `h` or `d`: `30s`, `1h30m` |
| size | bytes, or with a unit of `kB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB`, `TiB`: `64KiB` |
| list | a sequence in the file, separated by commas in the environment |

The variable of a key is `ENTREPOT_`, its section and its name: `ENTREPOT_HTTP_IDLE_TIMEOUT`. `ENTREPOT_ADMIN_PASSWORD`
is read at the first start alone and is no key. Variables that Kubernetes makes of a Service's name are passed over.
)";

constexpr std::string_view about_listeners = R"(
## listeners

A list; each entry opens one address. Without it there is one: 127.0.0.1:5000, plain, with all surfaces. `--listen` and
`--tls-listen` replace the whole list. `localhost` means 127.0.0.1; IPv6 addresses stand without brackets here.

| key | kind | default | meaning |
|---|---|---|---|
)";

constexpr std::string_view example = R"(
## Example

```yaml
data: /var/lib/entrepot
database:
  url: postgresql://entrepot@db.example/entrepot
listeners:
  - name: public
    address: 0.0.0.0
    port: 443
    tls:
      certificate: /etc/entrepot/tls.crt
      key: /etc/entrepot/tls.key
    surfaces: [oci, token, api]
  - name: metrics
    address: 127.0.0.1
    port: 9090
    surfaces: [metrics]
log:
  format: json
```
)";

std::string in_code(const std::string& text)
{
    return text.empty() ? "" : "`" + text + "`";
}

std::string_view section_of(std::string_view key)
{
    return key.contains('.') ? key.substr(0, key.find('.')) : "general";
}

}  // namespace

std::string config_reference()
{
    const Config defaults;
    ListenerConfig listener;
    listener.name.clear();
    std::string text{preface};
    std::string_view section;
    for (const auto& key : config_keys()) {
        if (section_of(key.name) != section) {
            section = section_of(key.name);
            text += "\n## " + std::string{section} +
                    "\n\n| key | variable | kind | default | meaning |\n|---|---|---|---|---|\n";
        }
        text += "| `" + std::string{key.name} + "` | `" + variable_of(key.name) + "` | " + std::string{key.kind} +
                " | " + in_code(key.show(defaults)) + " | " + std::string{key.text} + " |\n";
    }
    text += about_listeners;
    for (const auto& key : listener_keys()) {
        text += "| `" + std::string{key.name} + "` | " + std::string{key.kind} + " | " + in_code(key.show(listener)) +
                " | " + std::string{key.text} + " |\n";
    }
    return text += example;
}

}  // namespace entrepot
