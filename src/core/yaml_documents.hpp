#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>
#include <string>
#include <vector>

namespace entrepot {

// For the rooms that read YAML; core itself links no parser.

// Counts documents and looks at nothing in them.
class YamlDocumentStarts final : public YAML::EventHandler {
public:
    void OnDocumentStart(const YAML::Mark& mark) override { starts.push_back(mark); }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}

    std::vector<YAML::Mark> starts;
};

// All documents of a text. YAML::LoadAll goes round for ever, and takes memory with every round, where a document
// begins with a comma, which its parser never takes off: that is seen here first. Throws YAML::Exception for what is no
// YAML.
inline std::vector<YAML::Node> load_yaml_documents(const std::string& text)
{
    std::istringstream stream{text};
    YAML::Parser parser{stream};
    YamlDocumentStarts documents;
    while (parser.HandleNextDocument(documents)) {
        const auto count = documents.starts.size();
        if (count > 1 && documents.starts[count - 1].pos == documents.starts[count - 2].pos)
            throw YAML::ParserException{documents.starts.back(), "a document can't begin like this"};
    }
    return YAML::LoadAll(text);
}

}  // namespace entrepot
