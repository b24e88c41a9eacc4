#include "app/config_file.hpp"

#include "app/config_keys.hpp"
#include "app/config_values.hpp"
#include "core/yaml_documents.hpp"

#include <algorithm>
#include <set>

namespace entrepot {
namespace {

std::string last_word(std::string_view key)
{
    return std::string{key.substr(key.rfind('.') + 1)};
}

// The known key or section that was probably meant; empty when none is near.
template <class Target>
std::string nearest(std::string_view key, std::span<const ConfigKey<Target>> keys)
{
    const auto reach = std::clamp<std::size_t>(key.size() / 2, 1, 3);
    std::string best;
    std::size_t best_distance = reach + 1;
    const auto consider = [&](std::string_view candidate, std::size_t distance) {
        if (distance >= best_distance) return;
        best_distance = distance;
        best = candidate;
    };
    for (const auto& known : keys) {
        consider(known.name, edit_distance(key, known.name));
        const auto section = known.name.substr(0, known.name.find('.'));
        if (!key.contains('.')) consider(section, edit_distance(key, section));
        // The right word in the wrong section, or in none.
        if (last_word(key) == last_word(known.name)) consider(known.name, 1);
    }
    return best;
}

// One document. Sections nest: {http: {idle_timeout: 75s}} is the key http.idle_timeout.
class FileReader {
public:
    FileReader(ConfigDraft& draft, const std::string& file) : draft_{draft}, file_{file} {}

    void document(const YAML::Node& root)
    {
        section<Config>(root, "", "", config_keys(), draft_.config, &FileReader::listeners);
    }

private:
    using Other = bool (FileReader::*)(std::string_view key, const YAML::Node& value);

    std::string place(const YAML::Node& node) const { return place(node.Mark()); }
    std::string place(const YAML::Mark& mark) const { return file_ + ":" + std::to_string(mark.line + 1); }

    // `prefix` is what messages put before the key ("listeners[0]."), `path` what the table of keys does ("http.").
    template <class Target>
    void section(
        const YAML::Node& node,
        const std::string& prefix,
        const std::string& path,
        std::span<const ConfigKey<Target>> keys,
        Target& target,
        Other other
    )
    {
        if (node.IsNull()) return;
        if (!node.IsMap()) {
            const auto name = (prefix + path).substr(0, (prefix + path).size() - ((prefix + path).empty() ? 0 : 1));
            return draft_.complain(place(node), name, "must be a map of keys and values");
        }
        std::set<std::string> seen;
        for (const auto& entry : node) {
            const auto where = place(entry.first);
            if (!entry.first.IsScalar()) {
                draft_.complain(where, prefix + path, "a key must be plain text");
                continue;
            }
            const auto key = path + entry.first.Scalar();
            if (!seen.insert(key).second)
                draft_.complain(where, prefix + key, "is set twice");
            else if (other == nullptr || !(this->*other)(key, entry.second)) {
                one(entry.second, where, prefix, key, keys, target);
            }
        }
    }

    template <class Target>
    void
    one(const YAML::Node& value,
        const std::string& where,
        const std::string& prefix,
        const std::string& key,
        std::span<const ConfigKey<Target>> keys,
        Target& target)
    {
        const auto known = std::ranges::find(keys, std::string_view{key}, &ConfigKey<Target>::name);
        if (known != keys.end()) return set(value, where, prefix, *known, target);
        const auto path = key + ".";
        if (std::ranges::any_of(keys, [&](const auto& candidate) { return candidate.name.starts_with(path); })) {
            return section(value, prefix, path, keys, target, nullptr);
        }
        const auto meant = nearest(key, keys);
        const auto hint = meant.empty() ? "" : "; did you mean " + meant + "?";
        draft_.complain(where, prefix + key, "there is no such key" + hint);
    }

    template <class Target>
    void
    set(const YAML::Node& value,
        const std::string& where,
        const std::string& prefix,
        const ConfigKey<Target>& key,
        Target& target)
    {
        const auto name = prefix + std::string{key.name};
        draft_.places[name] = where;
        std::string text;
        if (value.IsNull()) return draft_.complain(where, name, "has no value");
        if (value.IsScalar()) {
            text = value.Scalar();
        } else if (key.list && value.IsSequence()) {
            for (const auto& item : value) {
                const bool plain = item.IsScalar() && !item.Scalar().contains(',');
                if (!plain) return draft_.complain(place(item), name, "an item must be plain text without a comma");
                text += (text.empty() ? "" : ",") + item.Scalar();
            }
        } else {
            return draft_.complain(where, name, "must be a single value: " + std::string{key.kind});
        }
        if (const auto done = key.set(target, text); !done) draft_.complain(where, name, done.error().message());
    }

    bool listeners(std::string_view key, const YAML::Node& value)
    {
        if (key != "listeners") return false;
        draft_.places["listeners"] = place(value);
        if (!value.IsSequence() || value.size() == 0) {
            draft_.complain_of("listeners", "must be a list of at least one listener");
            return true;
        }
        draft_.config.listeners.clear();
        for (const auto& item : value) {
            const auto name = "listeners[" + std::to_string(draft_.config.listeners.size()) + "]";
            draft_.places[name] = place(item);
            auto& listener = draft_.config.listeners.emplace_back();
            listener.name.clear();
            if (item.IsNull()) draft_.complain_of(name, "has no value");
            section<ListenerConfig>(item, name + ".", "", listener_keys(), listener, nullptr);
        }
        return true;
    }

    ConfigDraft& draft_;
    const std::string& file_;
};

}  // namespace

void apply_file(ConfigDraft& draft, std::string_view yaml, const std::string& file)
{
    try {
        const auto documents = load_yaml_documents(std::string{yaml});
        if (documents.size() > 1) {
            const auto line = std::to_string(documents[1].Mark().line + 1);
            draft.complain(file + ":" + line, "", "holds a second document, there must be one");
        } else if (!documents.empty()) {
            FileReader{draft, file}.document(documents.front());
        }
    } catch (const YAML::Exception& failure) {
        draft.complain(file + ":" + std::to_string(failure.mark.line + 1), "", "is not valid YAML: " + failure.msg);
    }
}

}  // namespace entrepot
