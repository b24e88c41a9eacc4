#include "drivers/sql/webhook_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

namespace entrepot {

namespace json = boost::json;

std::string targets_text(const std::vector<WebhookTarget>& targets)
{
    json::array list;
    for (const auto& target : targets) {
        list.push_back(json::object{
            {"type", target.type},
            {"address", target.address},
            {"format", target.format},
            {"auth_header", target.auth_header},
            {"secret", target.secret},
            {"any_certificate", target.any_certificate},
        });
    }
    return json::serialize(list);
}

Result<std::vector<WebhookTarget>> targets_in(const std::string& text)
{
    std::vector<WebhookTarget> targets;
    try {
        for (const auto& entry : json::parse(text).as_array()) {
            const auto& object = entry.as_object();
            WebhookTarget target;
            target.type = json::value_to<std::string>(object.at("type"));
            target.address = json::value_to<std::string>(object.at("address"));
            target.format = json::value_to<std::string>(object.at("format"));
            target.auth_header = json::value_to<std::string>(object.at("auth_header"));
            target.secret = json::value_to<std::string>(object.at("secret"));
            target.any_certificate = object.at("any_certificate").as_bool();
            targets.push_back(std::move(target));
        }
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, "the targets of a webhook can't be read", thrown.what());
    }
    return targets;
}

std::string words_text(const std::vector<std::string>& words)
{
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::vector<std::string> words_in(std::string_view text)
{
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

}  // namespace entrepot
