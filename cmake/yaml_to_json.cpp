// yaml_to_json IN OUT: writes a YAML 1.2 document (core schema) as JSON. A tool of the build, for the OpenAPI file: no
// anchors to other documents, no tags, no duplicate keys. A malformed file stops the build.
#include <boost/json.hpp>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace json = boost::json;

namespace {

// "?" is the tag of a plain scalar; quoted ones are texts whatever they look like.
json::value scalar(const YAML::Node& node)
{
    const std::string& text = node.Scalar();
    if (node.Tag() != "?") return json::string(text);
    if (text == "true" || text == "false") return text == "true";
    if (text == "null" || text == "~" || text.empty()) return nullptr;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size()) return number;
    return json::string(text);
}

json::value converted(const YAML::Node& node)
{
    switch (node.Type()) {
        case YAML::NodeType::Scalar: return scalar(node);
        case YAML::NodeType::Sequence: {
            json::array list;
            for (const auto& entry : node) list.push_back(converted(entry));
            return list;
        }
        case YAML::NodeType::Map: {
            json::object object;
            for (const auto entry : node) {
                const auto& key = entry.first.Scalar();
                if (!object.emplace(key, converted(entry.second)).second) {
                    const auto line = entry.first.Mark().line + 1;
                    throw std::runtime_error{"line " + std::to_string(line) + ": " + key + " twice"};
                }
            }
            return object;
        }
        default: return nullptr;
    }
}

}  // namespace

int main(int count, char** arguments)
{
    try {
        if (count != 3) throw std::runtime_error{"usage: yaml_to_json IN OUT"};
        const auto text = json::serialize(converted(YAML::LoadFile(arguments[1])));
        std::ofstream out{arguments[2], std::ios::binary | std::ios::trunc};
        if (!(out << text << '\n').flush()) throw std::runtime_error{"can't write " + std::string{arguments[2]}};
    } catch (const std::exception& failure) {
        std::cerr << "yaml_to_json: " << failure.what() << '\n';
        return 1;
    }
    return 0;
}
